// Where the API is and who we are to it: from flags or a kubeconfig, as kubectl finds it.
#pragma once

#include <string>

#include "core/base/result.h"

namespace updraft::cli {

// What decides, first to last: `server`, `kubeconfig`, `state`, `kubeconfig_variable`, `usual_state`; of the last three what
// exists.
struct AddressFlags {
  std::string server{};      // --server
  std::string kubeconfig{};  // --kubeconfig
  std::string state{};       // --state: the folder with a kubeconfig
  std::string usual_state = "/var/lib/updraft";
  std::string kubeconfig_variable{};  // $KUBECONFIG: files separated by colons, the first that
                                      // exists counts
};

struct ApiAddress {
  std::string server{};  // http(s)://host:port[/path], no slash at the end
  std::string namespace_name = "default";
  std::string token{};
  std::string certificate_authority{};  // PEM
  std::string client_certificate{};     // PEM
  std::string client_key{};             // PEM
  bool skip_verification = false;
};

// kNotFound when there is nothing to go by; kInvalidArgument, naming the file, when a kubeconfig
// makes no sense.
Result<ApiAddress> FindApi(const AddressFlags& flags);

// Reads the current context of a kubeconfig's text; `folder` is what its relative file names start
// from.
Result<ApiAddress> ParseKubeconfig(const std::string& text, const std::string& folder);

}  // namespace updraft::cli
