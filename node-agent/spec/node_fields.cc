#include "node-agent/spec/node_fields.h"

#include <string_view>

#include "proto/updraft/v1/node_marks.h"

namespace updraft::node_agent {
namespace {

void PutFor(std::string_view mark, std::string_view value, std::string& text) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

void Fill(const NodeFields& fields, std::string& text) {
  PutFor(v1::kNodeNameMark, fields.node_name, text);
  PutFor(v1::kHostIpMark, fields.host_ip, text);
  PutFor(v1::kPodIpMark, fields.pod_ip, text);
}

}  // namespace

v1::Container WithNodeFields(v1::Container container, const NodeFields& fields) {
  for (v1::EnvVar& variable : *container.mutable_env()) Fill(fields, *variable.mutable_value());
  for (std::string& word : *container.mutable_command()) Fill(fields, word);
  for (std::string& word : *container.mutable_args()) Fill(fields, word);
  return container;
}

}  // namespace updraft::node_agent
