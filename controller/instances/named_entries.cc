#include "controller/instances/named_entries.h"

#include "core/api/access.h"
#include "core/api/base64.h"

namespace updraft::controller {
namespace {

enum class Form { kText, kBase64 };

void AddEntries(const Json& members, Form form, Entries& entries) {
  for (const auto& [key, value] : members.items()) {
    if (!value.is_string()) continue;
    const auto& text = value.get_ref<const std::string&>();
    if (form == Form::kText) {
      entries[key] = text;
    } else if (auto bytes = api::DecodeBase64(text)) {
      entries[key] = std::move(*bytes);
    }
  }
}

}  // namespace

Entries EntriesOf(const Json& object, EntrySource source) {
  Entries entries;
  const bool secret = source == EntrySource::kSecret;
  AddEntries(api::ObjectAt(object, {"data"}), secret ? Form::kBase64 : Form::kText, entries);
  if (secret) AddEntries(api::ObjectAt(object, {"stringData"}), Form::kText, entries);
  if (!secret) AddEntries(api::ObjectAt(object, {"binaryData"}), Form::kBase64, entries);
  return entries;
}

Result<Entries> FindEntries(const Json& reference, EntrySource source, std::string_view name_member,
                            const NamedObjects& named) {
  const bool secret = source == EntrySource::kSecret;
  const std::string name = api::StringAt(reference, {name_member});
  const NamedObjects::Find& find = secret ? named.secret : named.config_map;
  const std::shared_ptr<const Json> object = find ? find(name) : nullptr;
  if (object) return EntriesOf(*object, source);
  if (api::BoolAt(reference, {"optional"})) return Entries();
  return Error{Code::kFailedPrecondition,
               (secret ? "secret \"" : "configmap \"") + name + "\" not found"};
}

}  // namespace updraft::controller
