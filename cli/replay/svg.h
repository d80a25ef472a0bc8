// Pictures of figures over time and of sums side by side, as SVG. Pure, and the same text for the
// same figures.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace updraft::cli {

struct Curve {
  std::string name = {};
  std::vector<std::pair<double, double>> points = {};  // (seconds, value), in order of time
};

struct Panel {
  std::string title = {};
  std::vector<Curve> curves = {};
  std::vector<std::pair<double, double>> shaded = {};  // spans of time
  std::string shade_name = {};
};

// One above the other, over the same time.
std::string DrawPanels(const std::string& title, const std::vector<Panel>& panels);

struct BarGroup {
  std::string title = {};
  std::vector<std::pair<std::string, double>> bars = {};
};

// Side by side, each with a scale of its own.
std::string DrawBars(const std::string& title, const std::vector<BarGroup>& groups);

}  // namespace updraft::cli
