// Requests and what a strict server makes of them: the framing and smuggling vectors.
#pragma once

#include <string>
#include <vector>

namespace updraft::http {

struct HeadVector {
  std::string name;
  std::string bytes;
  int status = 0;  // of the refusal; 0: accepted
};

inline std::string WithHost(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

// NOLINTNEXTLINE(readability-function-size): a table
inline std::vector<HeadVector> HeadVectors() {
  using namespace std::string_literals;
  const std::string many_fields = [] {
    std::string fields;
    for (int i = 0; i < 100; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
    return fields;
  }();
  return {
      // Accepted.
      {"Plain", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"OldWithoutHost", "GET / HTTP/1.0\r\n\r\n"},
      {"OldWithHost", "GET / HTTP/1.0\r\nHost: h\r\n\r\n"},
      {"EmptyLineBefore", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"Length", WithHost("Content-Length: 10\r\n")},
      {"LengthWithSpaces", WithHost("Content-Length: \t 10 \t\r\n")},
      {"NoSpaceAfterColon", WithHost("Content-Length:10\r\n")},
      {"Chunked", WithHost("Transfer-Encoding: chunked\r\n")},
      {"ChunkedInCapitals", WithHost("TRANSFER-ENCODING: CHUNKED\r\n")},
      {"EmptyValue", WithHost("X-Empty:\r\n")},
      {"TabInValue", WithHost("X-Tab: a\tb\r\n")},
      {"BytesAboveAscii", WithHost("X-Name: J\xc3\xb6rg\r\n")},
      {"HostWithPort", "GET / HTTP/1.1\r\nHost: h:8080\r\n\r\n"},
      {"HostIpv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
      {"HostWithEmptyPort", "GET / HTTP/1.1\r\nHost: h:\r\n\r\n"},
      {"AbsoluteForm", "GET http://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"AbsoluteFormSecure", "GET https://h HTTP/1.1\r\nHost: H\r\n\r\n"},
      {"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"UnknownMethod", "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"TargetAtItsLimit",
       "GET /" + std::string((16 << 10) - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"HundredFields",
       "GET / HTTP/1.1\r\n" + many_fields.substr(0, many_fields.rfind("X-99")) + "Host: h\r\n\r\n"},
      {"Expect", WithHost("Content-Length: 3\r\nExpect: 100-Continue\r\n")},
      {"OldExpectIsIgnored", "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: magic\r\n\r\n"},
      {"NominatedFraming", WithHost("Connection: Content-Length\r\nContent-Length: 3\r\n")},

      // How long is the body?
      {"LengthAndChunked", WithHost("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"ChunkedAndLength", WithHost("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
      {"TwoLengths", WithHost("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
      {"TwoEqualLengths", WithHost("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
      {"LengthList", WithHost("Content-Length: 3, 3\r\n"), 400},
      {"LengthSigned", WithHost("Content-Length: +3\r\n"), 400},
      {"LengthNegative", WithHost("Content-Length: -3\r\n"), 400},
      {"LengthHexadecimal", WithHost("Content-Length: 0x3\r\n"), 400},
      {"LengthEmpty", WithHost("Content-Length:\r\n"), 400},
      {"LengthInWords", WithHost("Content-Length: three\r\n"), 400},
      {"LengthWithFraction", WithHost("Content-Length: 3.0\r\n"), 400},
      {"LengthOverflows", WithHost("Content-Length: 18446744073709551617\r\n"), 400},
      {"LengthWithSpaceWithin", WithHost("Content-Length: 1 0\r\n"), 400},
      {"EncodingGzip", WithHost("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"EncodingUnknown", WithHost("Transfer-Encoding: xchunked\r\n"), 501},
      {"EncodingIdentity", WithHost("Transfer-Encoding: identity\r\n"), 501},
      {"EncodingTwice", WithHost("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"EncodingTwiceInOne", WithHost("Transfer-Encoding: chunked, chunked\r\n"), 501},
      {"EncodingQuoted", WithHost("Transfer-Encoding: \"chunked\"\r\n"), 501},
      {"EncodingEmpty", WithHost("Transfer-Encoding:\r\n"), 501},
      {"EncodingInOld", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"EncodingFolded", WithHost("Transfer-Encoding:\r\n chunked\r\n"), 400},
      {"EncodingVerticalTab", WithHost("Transfer-Encoding: \x0b"s + "chunked\r\n"), 400},
      {"EncodingSpaceBeforeColon", WithHost("Transfer-Encoding : chunked\r\n"), 400},
      {"LengthSpaceBeforeColon", WithHost("Content-Length : 3\r\n"), 400},

      // Where does a line end?
      {"BareLineFeeds", "GET / HTTP/1.1\nHost: h\n\n", 400},
      {"BareLineFeedInFields", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
      {"BareLineFeedAtTheEnd", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
      {"BareReturnInValue", WithHost("X: a\rb\r\n"), 400},
      {"BareReturnAsLineEnd", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
      {"TwoReturns", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400},
      {"Folded", WithHost("X: a\r\n b\r\n"), 400},
      {"FoldedFirst", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"TwoEmptyLinesBefore", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},

      // What may stand in a field?
      {"NulInValue", WithHost("X: a\0b\r\n"s), 400},
      {"NulInName", WithHost("X\0: a\r\n"s), 400},
      {"ControlInValue", WithHost("X: a\x01z\r\n"), 400},
      {"DeleteInValue", WithHost("X: a\x7fz\r\n"), 400},
      {"NoColon", WithHost("Gibberish\r\n"), 400},
      {"EmptyName", WithHost(": value\r\n"), 400},
      {"SpaceInName", WithHost("A B: value\r\n"), 400},
      {"TabBeforeColon", WithHost("A\t: value\r\n"), 400},
      {"ParenthesisInName", WithHost("A(B): value\r\n"), 400},
      {"NameAboveAscii", WithHost("N\xc3\xa4me: value\r\n"), 400},

      // Whose request is it?
      {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
      {"TwoHosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
      {"OldTwoHosts", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"HostWithPath", "GET / HTTP/1.1\r\nHost: h/p\r\n\r\n", 400},
      {"HostWithUser", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
      {"HostWithSpace", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"HostPortInWords", "GET / HTTP/1.1\r\nHost: h:http\r\n\r\n", 400},
      {"HostPortTooLong", "GET / HTTP/1.1\r\nHost: h:000080\r\n\r\n", 400},
      {"HostTwoPorts", "GET / HTTP/1.1\r\nHost: h:80:81\r\n\r\n", 400},
      {"HostOnlyPort", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
      {"HostBracketLeftOpen", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"HostBracketEmpty", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400},
      {"HostBehindBracket", "GET / HTTP/1.1\r\nHost: [::1]h\r\n\r\n", 400},
      {"HostBracketWithin", "GET / HTTP/1.1\r\nHost: a[::1]\r\n\r\n", 400},
      {"AbsoluteFormElsewhere", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"AbsoluteFormWithUser", "GET http://u@h/ HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
      {"AbsoluteFormWithoutHost", "GET http:///p HTTP/1.1\r\nHost: h\r\n\r\n", 400},

      // What is asked for?
      {"LowerCaseVersion", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"NoVersion", "GET /\r\nHost: h\r\n\r\n", 400},
      {"VersionTwo", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"VersionOneTwo", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"VersionLong", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
      {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"TwoSpacesBeforeVersion", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"SpaceAfterVersion", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"SpaceFirst", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"TabsForSpaces", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"MethodWithParenthesis", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"NulInTarget", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, 400},
      {"TargetAboveAscii", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"Fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"RelativeTarget", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"AsteriskForGet", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"AuthorityForm", "GET h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 400},
      {"OtherScheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"Connect", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405},
      {"UnknownExpectation", WithHost("Content-Length: 3\r\nExpect: magic\r\n"), 417},
      {"TargetTooLong", "GET /" + std::string(17 << 10, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"FirstLineTooLong",
       std::string(100, 'M') + " /" + std::string((16 << 10) - 1, 'a') +
           " HTTP/1.1\r\nHost: h\r\n\r\n",
       414},
      {"TooManyFields", "GET / HTTP/1.1\r\nHost: h\r\n" + many_fields + "\r\n", 431},
      {"TooLarge", WithHost("X: " + std::string(65 << 10, 'a') + "\r\n"), 431},
      {"BinaryNoise", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s, 400},
  };
}

}  // namespace updraft::http
