// Records of the platform's own in a store, one a name, that are to be as was wished last: each wish
// is carried out, and tried again until it is.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/objects/object_store.h"
#include "core/base/clock.h"
#include "core/http/task.h"

namespace updraft::controller {

// Loop thread only.
class RecordKeeper {
 public:
  // Calls back after that time.
  using Later = std::function<void(Nanos, std::function<void()>)>;
  struct Kind {
    std::string resource;  // not served by the API
    std::string kind;
    std::string noun;  // for the log: "node"
  };
  using Spec = std::optional<Json>;  // nullopt: there is to be no record; null: one without a spec
  using OnKept = std::function<void(const std::string& name, const Spec& spec)>;

  // `store` is loaded and must outlive this. `on_kept`, if any, is told of each wish that came true.
  RecordKeeper(ObjectStore& store, Kind kind, Later later, OnKept on_kept = nullptr)
      : store_(store),
        kind_(std::move(kind)),
        later_(std::move(later)),
        on_kept_(std::move(on_kept)) {}

  void Wish(const std::string& name, Spec spec);

  // What is wished and not so yet. Null: nothing.
  const Spec* Wished(const std::string& name) const;
  std::shared_ptr<const Json> Get(const std::string& name) const;
  std::vector<std::shared_ptr<const Json>> All() const;

 private:
  struct Pending {
    Spec spec = std::nullopt;
    bool under_way = false;
    int failures = 0;  // in a row
  };
  ObjectKey KeyOfRecord(const std::string& name) const { return {kind_.resource, "", name}; }
  void TryAgain(const std::string& name, const Error& error);
  http::Task<void> Carry(std::string name);
  http::Task<Status> Write(std::string name, Spec spec);

  ObjectStore& store_;
  const Kind kind_;
  const Later later_;
  const OnKept on_kept_;
  std::map<std::string, Pending> wishes_;
  const std::shared_ptr<const int> life_ = std::make_shared<int>(0);
  http::Scope scope_;
};

}  // namespace updraft::controller
