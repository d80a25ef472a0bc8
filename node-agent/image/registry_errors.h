// Puts what went wrong at a registry into words, for the conditions of a user's Revision.
//
// Pure.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/image/http_client.h"

namespace updraft::node_agent {

// The request got no answer. `host` is who was asked. kUnavailable is worth another try later.
Error TransportError(const std::string& host, const HttpAnswer& answer);

// What was asked for, for the words about an answer that is not 2xx.
struct RegistryAsk {
  std::string host;
  std::string repository;
  std::string reference;  // tag or digest; empty: a blob
};

// REQUIRES: the answer's status is not 2xx.
Error AnswerError(const RegistryAsk& ask, const HttpAnswer& answer);

// ": message" out of a registry's JSON error body, or empty.
std::string MessageOf(const HttpAnswer& answer);

}  // namespace updraft::node_agent
