// What names, labels and keys may look like, with Kubernetes' words for what is wrong. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::api {

// Each returns what is wrong with `value`, one text per rule that it breaks; empty: nothing.
using Complaints = std::vector<std::string>;

Complaints CheckDns1035Label(std::string_view value);
Complaints CheckDns1123Label(std::string_view value);
Complaints CheckDns1123Subdomain(std::string_view value);
Complaints CheckQualifiedName(std::string_view value);  // a label's or an annotation's key
Complaints CheckLabelValue(std::string_view value);
Complaints CheckConfigMapKey(std::string_view value);

// A generateName: what is left of it must be able to begin such a name.
Complaints CheckDns1035Prefix(std::string_view value);
Complaints CheckDns1123SubdomainPrefix(std::string_view value);

// As Go prints a list of strings: [a b].
std::string ToGoList(const Complaints& complaints);

// The name of an object made for `parent`: "hello" + "-00001". Beyond 63 characters the parent is
// cut and its MD5 put in, exactly as Knative does, so that names are the same.
std::string ChildName(std::string_view parent, std::string_view suffix);

// `prefix` with five characters that `random` decides, cut to fit 63: what a generateName becomes.
std::string GenerateName(std::string_view prefix, uint64_t random);

// A version 4 UUID of 128 random bits.
std::string MakeUid(uint64_t high, uint64_t low);

}  // namespace updraft::api
