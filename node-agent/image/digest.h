// sha256 digests, the names of content.
//
// Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::node_agent {

// Digests bytes that arrive in pieces. One thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);

  // "sha256:<64 hex digits>" of all bytes so far. Ends the use of this object.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string DigestOf(std::string_view bytes);

// sha256 only: containerd's content store knows no other.
bool IsDigest(std::string_view text);

// The name of the snapshot that these layers, lowest first, make. Empty for no layer.
std::string ChainId(const std::vector<std::string>& diff_ids);

}  // namespace updraft::node_agent
