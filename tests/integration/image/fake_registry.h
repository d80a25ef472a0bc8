// A registry that misbehaves to order.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "core/base/unique_fd.h"
#include "tests/integration/image/test_image.h"

namespace updraft::node_agent {

struct FakeRequest {
  std::string method;
  std::string path;                            // with query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string Header(const std::string& name) const;
};

struct FakeReply {
  int status = 200;
  std::vector<std::string> headers = {};
  std::string body = {};
  size_t cut_after = std::string::npos;  // bytes of the body; then the connection breaks
  bool stall = false;                    // after cut_after: nothing more until the registry ends
};

// Serves one connection after another, one request each. Starts on construction.
class FakeRegistry {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;

  FakeRegistry();
  ~FakeRegistry();
  FakeRegistry(const FakeRegistry&) = delete;
  FakeRegistry& operator=(const FakeRegistry&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }

  // Without a handler, or where it calls Serve(): all images, all tags in all repositories.
  void SetHandler(Handler handler);
  void Add(const TestImage& image, const std::string& tag = "1");
  FakeReply Serve(const FakeRequest& request) const;

  std::vector<FakeRequest> Requests() const;
  // How many requests' paths contain this.
  size_t Count(const std::string& part) const;

 private:
  void Run();
  void Answer(int fd);

  int port_ = 0;
  UniqueFd listener_;
  UniqueFd stop_;  // eventfd

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  Handler handler_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, Descriptor> tags_;
  std::vector<FakeRequest> requests_;

  std::unique_ptr<NamedThread> thread_;
};

}  // namespace updraft::node_agent
