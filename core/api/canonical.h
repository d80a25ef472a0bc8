// The form in which Knative's server keeps what it was given. Pure.
//
// It reads an object into Go's types and writes it again: most zeroes are gone, a few are there that nobody gave, and
// amounts are spelled in one way. Clients in Go, as kn, do the same to what they read; were the stored form another,
// each of their updates would change the spec, and make a revision.
#pragma once

#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/schema.h"

namespace updraft::api {

// `value` conforms to `schema`. A second call changes nothing.
void MakeCanonical(const Schema& schema, Json& value);

// The spec of an object of a kind alone.
void MakeSpecCanonical(const Kind& kind, Json& object);

}  // namespace updraft::api
