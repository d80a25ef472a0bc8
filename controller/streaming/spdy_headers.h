// Header blocks of SPDY/3: names and values in one zlib stream for each direction of a connection,
// begun with a dictionary that both sides know. Pure.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace updraft::controller {

using SpdyHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

class SpdyInflater {
 public:
  SpdyInflater();
  ~SpdyInflater();
  SpdyInflater(const SpdyInflater&) = delete;
  SpdyInflater& operator=(const SpdyInflater&) = delete;

  // Blocks in the order they came, none left out. kInvalidArgument: it is none, or is larger than
  // 16 kB.
  Result<SpdyHeaders> Decode(std::string_view block);

 private:
  Result<std::string> Inflate(std::string_view block);

  z_stream stream_{};
};

class SpdyDeflater {
 public:
  SpdyDeflater();
  ~SpdyDeflater();
  SpdyDeflater(const SpdyDeflater&) = delete;
  SpdyDeflater& operator=(const SpdyDeflater&) = delete;

  std::string Encode(const SpdyHeaders& headers);

 private:
  z_stream stream_{};
};

}  // namespace updraft::controller
