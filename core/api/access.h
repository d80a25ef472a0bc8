// Reads and writes JSON documents without exceptions: what is absent, null or of another type reads
// as the fallback. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/api/json.h"

namespace updraft::api {

using Path = std::initializer_list<std::string_view>;  // member names, outermost first

// The value at `path`, or nullptr. A null counts as absent. Lives as long as `document`.
const Json* Find(const Json& document, Path path);
Json* Find(Json& document, Path path);

std::string StringAt(const Json& document, Path path, std::string_view fallback = {});
int64_t IntAt(const Json& document, Path path, int64_t fallback = 0);
bool BoolAt(const Json& document, Path path, bool fallback = false);

// The object or array at `path`; an empty one that lives for ever when there is none.
const Json& ObjectAt(const Json& document, Path path);
const Json& ArrayAt(const Json& document, Path path);

// The object at `path`; it and its parents are made where they are missing or not objects.
Json& EnsureObject(Json& document, Path path);

// Removes the last member of `path`; no effect when it is not there.
void Erase(Json& document, Path path);

// The bytes of `document`, without white space. Text that is no UTF-8 is replaced, never thrown at.
std::string ToText(const Json& document);

}  // namespace updraft::api
