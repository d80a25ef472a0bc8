#include "core/api/kubernetes_proto.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/read.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

enum class WireType {
  kText,
  kBytes,
  kBool,
  kInteger,
  kTime,
  kMicroTime,
  kMessage,
  kTextMap,
  kBytesMap
};

struct ProtoField;
using ProtoFields = std::vector<ProtoField>;

// One field of a message of k8s.io/api/.../generated.proto.
struct ProtoField {
  uint32_t number = 0;
  const char* name = "";
  WireType type = WireType::kText;
  bool repeated = false;
  const ProtoFields* message = nullptr;
};

const ProtoFields& ReferenceFields() {
  static const ProtoFields fields = {{1, "kind"},     {2, "namespace"},  {3, "name"},
                                     {4, "uid"},      {5, "apiVersion"}, {6, "resourceVersion"},
                                     {7, "fieldPath"}};
  return fields;
}

const ProtoFields& OwnerFields() {
  static const ProtoFields fields = {{1, "kind"},
                                     {3, "name"},
                                     {4, "uid"},
                                     {5, "apiVersion"},
                                     {6, "controller", WireType::kBool},
                                     {7, "blockOwnerDeletion", WireType::kBool}};
  return fields;
}

const ProtoFields& MetaFields() {
  static const ProtoFields fields = {
      {1, "name"},
      {2, "generateName"},
      {3, "namespace"},
      {5, "uid"},
      {6, "resourceVersion"},
      {7, "generation", WireType::kInteger},
      {8, "creationTimestamp", WireType::kTime},
      {9, "deletionTimestamp", WireType::kTime},
      {10, "deletionGracePeriodSeconds", WireType::kInteger},
      {11, "labels", WireType::kTextMap},
      {12, "annotations", WireType::kTextMap},
      {13, "ownerReferences", WireType::kMessage, true, &OwnerFields()},
      {14, "finalizers", WireType::kText, true}};
  return fields;
}

ProtoField Meta() { return {1, "metadata", WireType::kMessage, false, &MetaFields()}; }

const ProtoFields* FieldsOf(const std::string& api_version, const std::string& kind) {
  static const ProtoFields config_map = {Meta(),
                                         {2, "data", WireType::kTextMap},
                                         {3, "binaryData", WireType::kBytesMap},
                                         {4, "immutable", WireType::kBool}};
  static const ProtoFields secret = {Meta(),
                                     {2, "data", WireType::kBytesMap},
                                     {3, "type"},
                                     {4, "stringData", WireType::kTextMap},
                                     {5, "immutable", WireType::kBool}};
  static const ProtoFields namespace_spec = {{1, "finalizers", WireType::kText, true}};
  static const ProtoFields space = {Meta(),
                                    {2, "spec", WireType::kMessage, false, &namespace_spec}};
  static const ProtoFields local_reference = {{1, "name"}};
  static const ProtoFields account = {
      Meta(),
      {2, "secrets", WireType::kMessage, true, &ReferenceFields()},
      {3, "imagePullSecrets", WireType::kMessage, true, &local_reference},
      {4, "automountServiceAccountToken", WireType::kBool}};
  static const ProtoFields source = {{1, "component"}, {2, "host"}};
  static const ProtoFields event = {
      Meta(),
      {2, "involvedObject", WireType::kMessage, false, &ReferenceFields()},
      {3, "reason"},
      {4, "message"},
      {5, "source", WireType::kMessage, false, &source},
      {6, "firstTimestamp", WireType::kTime},
      {7, "lastTimestamp", WireType::kTime},
      {8, "count", WireType::kInteger},
      {9, "type"},
      {10, "eventTime", WireType::kMicroTime},
      {12, "action"},
      {13, "related", WireType::kMessage, false, &ReferenceFields()},
      {14, "reportingComponent"},
      {15, "reportingInstance"}};
  static const ProtoFields preconditions = {{1, "uid"}, {2, "resourceVersion"}};
  static const ProtoFields delete_options = {
      {1, "gracePeriodSeconds", WireType::kInteger},
      {2, "preconditions", WireType::kMessage, false, &preconditions},
      {3, "orphanDependents", WireType::kBool},
      {4, "propagationPolicy"},
      {5, "dryRun", WireType::kText, true}};
  static const ProtoFields series = {{1, "count", WireType::kInteger},
                                     {2, "lastObservedTime", WireType::kMicroTime}};
  static const ProtoFields event_view = {
      Meta(),
      {2, "eventTime", WireType::kMicroTime},
      {3, "series", WireType::kMessage, false, &series},
      {4, "reportingController"},
      {5, "reportingInstance"},
      {6, "action"},
      {7, "reason"},
      {8, "regarding", WireType::kMessage, false, &ReferenceFields()},
      {9, "related", WireType::kMessage, false, &ReferenceFields()},
      {10, "note"},
      {11, "type"},
      {12, "deprecatedSource", WireType::kMessage, false, &source},
      {13, "deprecatedFirstTimestamp", WireType::kTime},
      {14, "deprecatedLastTimestamp", WireType::kTime},
      {15, "deprecatedCount", WireType::kInteger}};
  static const ProtoFields eviction = {
      Meta(), {2, "deleteOptions", WireType::kMessage, false, &delete_options}};
  if (api_version == "events.k8s.io/v1" && kind == "Event") return &event_view;
  if (kind == "Eviction") return &eviction;
  if (kind == "ConfigMap") return &config_map;
  if (kind == "Secret") return &secret;
  if (kind == "Namespace") return &space;
  if (kind == "ServiceAccount") return &account;
  if (kind == "Event") return &event;
  if (kind == "DeleteOptions") return &delete_options;
  return nullptr;
}

// One field as it stands on the wire.
struct WireField {
  uint32_t number = 0;
  bool is_bytes = false;
  uint64_t value = 0;
  std::string_view bytes = {};
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  // nullopt at the end, or when the bytes are broken.
  std::optional<WireField> Next() {
    if (bytes_.empty() || broken_) return std::nullopt;
    const uint64_t key = Varint();
    WireField field{.number = static_cast<uint32_t>(key >> 3)};
    switch (key & 7) {
      case 0:
        field.value = Varint();
        break;
      case 1:
        Skip(8);
        break;
      case 2:
        field.is_bytes = true;
        field.bytes = Bytes(Varint());
        break;
      case 5:
        Skip(4);
        break;
      default:
        broken_ = true;
    }
    if (broken_) return std::nullopt;
    return field;
  }
  bool broken() const { return broken_; }

 private:
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    broken_ = true;
    return 0;
  }
  std::string_view Bytes(uint64_t length) {
    if (length > bytes_.size()) {
      broken_ = true;
      return {};
    }
    const std::string_view bytes = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return bytes;
  }
  void Skip(uint64_t length) { Bytes(length); }

  std::string_view bytes_;
  bool broken_ = false;
};

class MessageReader {
 public:
  Json Read(const ProtoFields& fields, std::string_view bytes) {
    Json message = Json::object();
    WireReader reader(bytes);
    while (const std::optional<WireField> wire = reader.Next()) {
      for (const ProtoField& field : fields) {
        if (field.number == wire->number) Add(field, *wire, message);
      }
    }
    broken_ = broken_ || reader.broken();
    return message;
  }
  bool broken() const { return broken_; }

 private:
  void Add(const ProtoField& field, const WireField& wire, Json& message) {
    const bool number = field.type == WireType::kBool || field.type == WireType::kInteger;
    if (number == wire.is_bytes) {
      broken_ = true;
      return;
    }
    if (field.type == WireType::kTextMap || field.type == WireType::kBytesMap)
      return AddEntry(field, wire.bytes, message);
    Json value = Value(field, wire);
    // Go writes empty values too; they mean absent.
    if (value.is_null() || value == "") return;
    if (field.repeated) {
      message[field.name].push_back(std::move(value));
    } else {
      message[field.name] = std::move(value);
    }
  }

  void AddEntry(const ProtoField& field, std::string_view bytes, Json& message) {
    const ProtoFields entry_fields = {
        {1, "key"},
        {2, "value", field.type == WireType::kTextMap ? WireType::kText : WireType::kBytes}};
    const Json entry = Read(entry_fields, bytes);
    message[field.name][StringAt(entry, {"key"})] = StringAt(entry, {"value"});
  }

  Json Value(const ProtoField& field, const WireField& wire) {
    switch (field.type) {
      case WireType::kBool:
        return wire.value != 0;
      case WireType::kInteger:
        return static_cast<int64_t>(wire.value);
      case WireType::kBytes:
        return EncodeBase64(wire.bytes);
      case WireType::kMessage:
        return Read(*field.message, wire.bytes);
      case WireType::kTime:
      case WireType::kMicroTime:
        return Time(wire.bytes, field.type == WireType::kMicroTime);
      default:
        broken_ = broken_ || !IsUtf8(wire.bytes);
        return std::string(wire.bytes);
    }
  }

  Json Time(std::string_view bytes, bool micro) {
    const ProtoFields time_fields = {{1, "seconds", WireType::kInteger},
                                     {2, "nanos", WireType::kInteger}};
    const Json time = Read(time_fields, bytes);
    const int64_t seconds = IntAt(time, {"seconds"});
    // An empty time is absent; one that no clock can show is as well.
    constexpr int64_t kMost = 9'000'000'000;
    if (seconds <= 0 || seconds > kMost) return nullptr;
    const WallTime wall{Seconds(seconds) + Nanos(IntAt(time, {"nanos"}) % 1'000'000'000)};
    return micro ? FormatMicroTimestamp(wall) : FormatTimestamp(wall);
  }

  bool broken_ = false;
};

}  // namespace

Result<Json> ReadKubernetesProto(std::string_view body) {
  constexpr std::string_view kMagic("k8s\0", 4);
  if (!body.starts_with(kMagic))
    return Error{Code::kInvalidArgument, "not a protobuf object of Kubernetes"};
  static const ProtoFields type_fields = {{1, "apiVersion"}, {2, "kind"}};
  static const ProtoFields envelope_fields = {{1, "type", WireType::kMessage, false, &type_fields},
                                              {2, "raw", WireType::kBytes}};
  MessageReader reader;
  const Json envelope = reader.Read(envelope_fields, body.substr(kMagic.size()));
  const std::string kind = StringAt(envelope, {"type", "kind"});
  const ProtoFields* fields = FieldsOf(StringAt(envelope, {"type", "apiVersion"}), kind);
  if (!reader.broken() && fields == nullptr) {
    return Error{Code::kUnimplemented, "kind \"" + kind + "\" is not read from protobuf"};
  }
  const std::optional<std::string> raw = DecodeBase64(StringAt(envelope, {"raw"}));
  Json object = reader.broken() || !raw ? Json() : reader.Read(*fields, *raw);
  if (reader.broken() || !raw)
    return Error{Code::kInvalidArgument, "the protobuf message is broken"};
  object["apiVersion"] = StringAt(envelope, {"type", "apiVersion"});
  object["kind"] = kind;
  return object;
}

}  // namespace updraft::api
