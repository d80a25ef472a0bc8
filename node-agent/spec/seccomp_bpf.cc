#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "node-agent/spec/seccomp.h"

namespace updraft::node_agent {
namespace {

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

Error Failed(std::string_view what, int code) {
  return {Code::kInternal, "seccomp: " + std::string(what) + ": " + std::strerror(-code)};
}

uint32_t ArchitectureToken(std::string_view name) {
  // The OCI names are libseccomp's constants: "SCMP_ARCH_X86_64" is "x86_64".
  std::string lower(name.substr(std::strlen("SCMP_ARCH_")));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return seccomp_arch_resolve_name(lower.c_str());
}

Status AddArchitectures(scmp_filter_ctx filter, const SeccompPolicy& policy) {
  for (const std::string_view name : policy.architectures) {
    const int code = seccomp_arch_add(filter, ArchitectureToken(name));
    if (code != 0 && code != -EEXIST) return Failed(name, code);
  }
  return Ok();
}

Status AddRule(scmp_filter_ctx filter, const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> arguments;
  for (const SeccompArgument& argument : rule.arguments) {
    arguments.push_back({.arg = argument.index,
                         .op = argument.masked ? SCMP_CMP_MASKED_EQ : SCMP_CMP_EQ,
                         .datum_a = argument.value,
                         .datum_b = argument.value_two});
  }
  const uint32_t action = rule.error_number ? SCMP_ACT_ERRNO(*rule.error_number) : SCMP_ACT_ALLOW;
  for (const std::string_view name : rule.syscalls) {
    const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const int code = seccomp_rule_add_array(filter, action, number, static_cast<unsigned>(arguments.size()),
                                            arguments.data());
    if (code != 0) return Failed(name, code);
  }
  return Ok();
}

Result<std::string> Export(scmp_filter_ctx filter) {
  const int fd = memfd_create("seccomp", MFD_CLOEXEC);
  if (fd < 0) return Failed("memfd", -errno);
  std::string bpf;
  const int code = seccomp_export_bpf(filter, fd);
  if (code == 0) {
    bpf.resize(static_cast<size_t>(lseek(fd, 0, SEEK_END)));
    if (pread(fd, bpf.data(), bpf.size(), 0) != static_cast<ssize_t>(bpf.size())) bpf.clear();
  }
  close(fd);
  if (code != 0 || bpf.empty()) return Failed("export", code);
  return bpf;
}

}  // namespace

Result<std::string> CompileSeccomp(const SeccompPolicy& policy) {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (filter == nullptr) return Failed("init", -ENOMEM);
  // A binary tree over the numbers instead of a list: every call of the user's program is checked against it.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (Status added = AddArchitectures(filter.get(), policy); !added) return added.error();
  for (const SeccompRule& rule : policy.rules) {
    if (Status added = AddRule(filter.get(), rule); !added) return added.error();
  }
  return Export(filter.get());
}

}  // namespace updraft::node_agent
