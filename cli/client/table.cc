#include "cli/client/table.h"

#include <algorithm>

#include "core/api/access.h"

namespace updraft::cli {
namespace {

constexpr size_t kColumnGap = 3;
constexpr size_t kColumnMin = 6;  // gap included

std::string CellText(const Json& cell) {
  if (cell.is_null()) return "";
  const std::string text = cell.is_string() ? cell.get<std::string>() : api::ToText(cell);
  return text.substr(0, text.find('\n'));
}

std::string UpperCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::string FormatTable(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), kColumnMin);
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size() + kColumnGap);
  }
  std::string text;
  for (const TableRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size(), ' ');
    }
    text += "\n";
  }
  return text;
}

std::vector<TableRow> RowsOf(const Json& table, const TableOptions& options) {
  std::vector<TableRow> rows;
  std::vector<size_t> shown;
  TableRow header;
  if (options.namespaces) header.emplace_back("NAMESPACE");
  const Json& columns = api::ArrayAt(table, {"columnDefinitions"});
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!options.wide && api::IntAt(columns[i], {"priority"}) != 0) continue;
    shown.push_back(i);
    header.push_back(UpperCase(api::StringAt(columns[i], {"name"})));
  }
  if (options.headers) rows.push_back(std::move(header));
  for (const Json& entry : api::ArrayAt(table, {"rows"})) {
    TableRow row;
    if (options.namespaces)
      row.push_back(api::StringAt(entry, {"object", "metadata", "namespace"}));
    const Json& cells = api::ArrayAt(entry, {"cells"});
    for (const size_t i : shown)
      row.push_back((i == 0 ? options.name_prefix : "") +
                    (i < cells.size() ? CellText(cells[i]) : ""));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace updraft::cli
