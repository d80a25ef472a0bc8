// URLs, as far as the registry protocol needs them.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace updraft::node_agent {

// For values of query parameters and forms.
std::string UrlEscape(std::string_view text);

// scheme://host:port, default ports filled in; empty for what is no URL.
std::string OriginOf(const std::string& url);

// host[:port], the port only where it is written: the keys of registries.yaml.
std::string HostOfUrl(const std::string& url);

// Where `location`, absolute or relative, leads from `base`; empty for what is no URL.
std::string ResolveUrl(const std::string& base, const std::string& location);

}  // namespace updraft::node_agent
