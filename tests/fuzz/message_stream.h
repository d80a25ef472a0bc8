// The messages in a stream of bytes, as one parser or another sees them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace updraft::fuzz {

struct Message {
  std::string start;                                        // "GET /target" or "200"
  std::vector<std::pair<std::string, std::string>> fields;  // and the trailers behind them
  std::string body;
  bool complete = false;

  bool operator==(const Message&) const = default;
};

struct Messages {
  std::vector<Message> list;  // only the last may be incomplete
  // Why nothing more is read; empty: more bytes could come.
  std::string over;
  bool refused = false;  // it is over because the bytes are not HTTP as it should be
  bool doomed = false;   // what there is of the next head would be refused if it ended here

  size_t complete() const { return list.size() - (list.empty() || list.back().complete ? 0 : 1); }
};

// Ours, the bytes coming `step` at a time.
Messages ReadRequests(std::string_view bytes, size_t step);
// The responses to one request: what comes before the final one, and that. The bytes end with the
// connection.
Messages ReadResponse(std::string_view bytes, std::string_view method, size_t step);

// Those of llhttp, in one piece.
Messages OracleRequests(std::string_view bytes);
Messages OracleResponse(std::string_view bytes, std::string_view method);

// Aborts and says why, when the oracle makes other messages than we do of what we accept.
void CheckAgainstOracle(const Messages& ours, const Messages& oracle);

}  // namespace updraft::fuzz
