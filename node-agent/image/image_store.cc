#include "node-agent/image/image_store.h"

#include "core/base/backoff.h"
#include "core/base/log.h"
#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

constexpr BackoffPolicy kCatalogBackoff = {.first = Millis(50), .most = Seconds(1)};

Result<ImageReference> ReferenceOf(const ImageRequest& request) {
  auto reference = ParseReference(request.image);
  if (reference && !request.digest.empty()) reference->digest = request.digest;
  return reference;
}

// Requests with equal keys share a pull.
std::string KeyOf(const PullOrder& order) {
  std::string key = order.reference.Name() + (order.local_first ? " local" : "");
  for (const RegistryCredential& credential : order.credentials) {
    key += '\n' + DigestOf(credential.registry + '\n' + credential.username + '\n' +
                           credential.password + '\n' + credential.identity_token);
  }
  return key;
}

// Two codes are about the request itself, see ImageStore::Ensure(): what a registry has done is
// another matter.
Error ForWhoeverAsked(Error error) {
  if (error.code == Code::kInvalidArgument || error.code == Code::kFailedPrecondition) {
    error.code = Code::kInternal;
  }
  return error;
}

}  // namespace

ImageStore::ImageStore(Loop& loop, const ContainerdClient& client, Options options)
    : loop_(loop),
      options_(std::move(options)),
      engine_(client, options_.engine),
      workers_("image", options_.pulls_max + 2) {
  ReadCatalog(0);
}

ImageStore::~ImageStore() {
  *alive_ = false;
  loop_.Cancel(retry_);
  for (const auto& [key, flight] : flights_) loop_.Cancel(flight.deadline);
  for (const auto& token : tokens_) {
    if (const auto held = token.lock()) held->Cancel();
  }
}

void ImageStore::Post(std::function<void()> callback) {
  loop_.Post([alive = alive_, callback = std::move(callback)] {
    if (*alive) callback();
  });
}

std::shared_ptr<CancelToken> ImageStore::NewToken() {
  std::erase_if(tokens_, [](const auto& token) { return token.expired(); });
  auto token = std::make_shared<CancelToken>();
  tokens_.push_back(token);
  return token;
}

void ImageStore::ReadCatalog(int failures) {
  retry_ = 0;
  workers_.Submit([this, failures, token = NewToken()] {
    auto images = engine_.ReadInstalled(*token);
    Post([this, failures, images = std::move(images)]() mutable {
      if (images) {
        catalog_.Add(*images);
        ready_ = true;
        Log(Level::kInfo, "images_read", {{"count", images->size()}});
        return;
      }
      if (failures == 0) {
        Log(Level::kWarn, "images_not_read", {{"error", images.error().message}});
      }
      const Nanos delay = BackoffDelay(kCatalogBackoff, failures + 1, 0);
      retry_ = loop_.After(delay, [this, failures] { ReadCatalog(failures + 1); });
    });
  });
}

std::shared_ptr<const UnpackedImage> ImageStore::Find(const ImageRequest& request) const {
  const auto reference = ReferenceOf(request);
  return reference ? catalog_.Find(*reference, request.policy) : nullptr;
}

void ImageStore::Ensure(const ImageRequest& request, Done done, ProgressSink progress) {
  const auto answer = [this, &done](Result<std::shared_ptr<const UnpackedImage>> result) {
    Post([done = std::move(done), result = std::move(result)] { done(result); });
  };
  const auto reference = ReferenceOf(request);
  if (!reference) return answer(reference.error());
  if (auto image = catalog_.Find(*reference, request.policy)) return answer(std::move(image));
  if (request.policy == PullPolicy::kNever) {
    return answer(
        Error{Code::kFailedPrecondition,
              "image " + reference->Name() + " is not present, and imagePullPolicy is Never"});
  }
  if (IsLoadedOnlyRegistry(reference->registry) && ready_) return answer(NotLoaded(*reference));

  PullOrder order{.reference = *reference,
                  .credentials = request.credentials,
                  .local_first = !AsksFirst(*reference, request.policy)};
  const std::string key = KeyOf(order);
  const bool first = flights_.count(key) == 0;
  Flight& flight = flights_[key];
  flight.waiting.push_back(std::move(done));
  if (progress) flight.watching.push_back(std::move(progress));
  if (first) StartFlight(key, std::move(order));
}

void ImageStore::StartFlight(const std::string& key, PullOrder order) {
  Flight& flight = flights_[key];
  flight.cancel = NewToken();
  flight.deadline = loop_.After(options_.pull_timeout, [this, key] { TimeOut(key); });
  workers_.Submit([this, key, order = std::move(order), token = flight.cancel] {
    const TimePoint begun = RealClock().Now();
    auto result = engine_.Pull(order, *token, [this, key](const ImageProgress& progress) {
      Post([this, key, progress] { Report(key, progress); });
    });
    const auto took = std::chrono::duration_cast<Millis>(RealClock().Now() - begun).count();
    if (result) {
      Log(Level::kInfo, "image_pulled",
          {{"image", order.reference.Name()},
           {"digest", result->front().image->digest},
           {"bytes", result->front().image->size_bytes},
           {"took_ms", took}});
    } else {
      Log(Level::kWarn, "image_pull_failed",
          {{"image", order.reference.Name()},
           {"error", result.error().message},
           {"took_ms", took}});
    }
    Post([this, key, result = std::move(result)]() mutable { Land(key, std::move(result)); });
  });
}

void ImageStore::Report(const std::string& key, const ImageProgress& progress) {
  const auto it = flights_.find(key);
  if (it == flights_.end()) return;
  for (const ProgressSink& sink : it->second.watching) sink(progress);
}

void ImageStore::TimeOut(const std::string& key) {
  const auto it = flights_.find(key);
  if (it == flights_.end()) return;
  it->second.timed_out = true;
  it->second.cancel->Cancel();
}

void ImageStore::Land(const std::string& key, Result<std::vector<KnownImage>> result) {
  auto node = flights_.extract(key);
  if (node.empty()) return;
  Flight flight = std::move(node.mapped());
  loop_.Cancel(flight.deadline);
  if (flights_.empty()) engine_.CloseIdle();
  Result<std::shared_ptr<const UnpackedImage>> answer = Error{};
  if (result) {
    catalog_.Add(*result);
    answer = result->front().image;
  } else if (flight.timed_out) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(options_.pull_timeout);
    answer = Error{Code::kDeadlineExceeded, "the image was not pulled within " +
                                                std::to_string(minutes.count()) + " minutes"};
  } else {
    answer = ForWhoeverAsked(result.error());
  }
  for (const Done& done : flight.waiting) done(answer);
}

void ImageStore::Resolve(const std::string& image, std::vector<RegistryCredential> credentials,
                         std::function<void(Result<std::string>)> done) {
  const auto reference = ParseReference(image);
  if (!reference) return Post([done, error = reference.error()] { done(error); });
  std::string digest = reference->digest;
  if (digest.empty()) digest = catalog_.LoadedDigest(*reference);
  if (!digest.empty()) return Post([done, digest] { done(digest); });
  if (IsLoadedOnlyRegistry(reference->registry)) {
    return Post([done, error = NotLoaded(*reference)] { done(error); });
  }
  const auto token = NewToken();
  const Loop::TimerId deadline =
      loop_.After(options_.resolve_timeout, [token] { token->Cancel(); });
  workers_.Submit([this, reference = *reference, credentials = std::move(credentials), token,
                   deadline, done = std::move(done)] {
    auto resolved = engine_.Resolve(reference, credentials, *token);
    Post([this, deadline, done, resolved = std::move(resolved)] {
      loop_.Cancel(deadline);
      if (flights_.empty()) engine_.CloseIdle();
      done(resolved);
    });
  });
}

void ImageStore::Remove(const std::string& image, std::function<void(Status)> done) {
  const auto reference = ParseReference(image);
  if (!reference) return Post([done, error = reference.error()] { done(error); });
  std::vector<std::string> names = catalog_.NamesToRemove(*reference);
  if (names.empty()) {
    const Error error{Code::kNotFound, "no image " + reference->Name() + " on this node"};
    return Post([done, error] { done(error); });
  }
  // First from memory: nothing starts from an image that is about to go.
  catalog_.Forget(names);
  workers_.Submit([this, names = std::move(names), token = NewToken(), done = std::move(done)] {
    Status removed = engine_.RemoveNames(names, *token);
    Post([done, removed = std::move(removed)] { done(removed); });
  });
}

std::unique_ptr<ArchiveLoader> ImageStore::Load(ArchiveOrder order, ProgressSink progress) {
  return std::make_unique<ArchiveLoader>(
      engine_, std::move(order), std::move(progress), [this](std::vector<KnownImage> images) {
        Post([this, images = std::move(images)] { catalog_.Add(images); });
      });
}

}  // namespace updraft::node_agent
