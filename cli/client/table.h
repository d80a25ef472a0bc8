// Tables as kubectl prints them: columns three spaces apart. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.h"

namespace updraft::cli {

using TableRow = std::vector<std::string>;

std::string FormatTable(const std::vector<TableRow>& rows);

struct TableOptions {
  bool wide = false;        // columns of lower priority too
  bool namespaces = false;  // a first column with each row's namespace
  bool headers = true;
  std::string name_prefix{};  // before each name: "pod/", where several kinds are shown
};

// The rows of a meta.k8s.io/v1 Table, the header first.
std::vector<TableRow> RowsOf(const Json& table, const TableOptions& options);

}  // namespace updraft::cli
