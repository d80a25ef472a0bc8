#include "cli/replay/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace updraft::cli {
namespace {

constexpr std::array<const char*, 6> kColours = {"#1f6feb", "#d1481c", "#2da44e",
                                                 "#8250df", "#9a6700", "#57606a"};
constexpr double kWidth = 900;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kPanelHeight = 150;
constexpr double kPanelGap = 46;
constexpr double kTop = 44;
constexpr size_t kPointsMax = 1500;  // more than there are pixels says nothing

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 1000 ? "%.6g" : "%.0f", value);
  return text;
}

std::string Coordinate(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Text(double x, double y, const std::string& text, const std::string& attributes) {
  return "<text x=\"" + Coordinate(x) + "\" y=\"" + Coordinate(y) + "\" " + attributes + ">" +
         Escaped(text) + "</text>\n";
}

// 1, 2 or 5 times a power of ten, at least `value`.
double RoundUp(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0, 10.0}) {
    if (step * power >= value) return step * power;
  }
  return 10 * power;
}

struct Frame {
  double first = 0, last = 1, most = 1, top = 0;
  double X(double at) const {
    return kLeft + (kWidth - kLeft - kRight) * (at - first) / (last - first);
  }
  double Y(double value) const { return top + kPanelHeight * (1 - value / most); }
};

std::string Head(double height, const std::string& title) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + Number(kWidth) + " " +
         Number(height) +
         "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
         "fill=\"#ffffff\"/>\n" +
         Text(kLeft, 22, title, "font-size=\"15\" fill=\"#1f2328\"");
}

std::string Path(const Curve& curve, const Frame& frame) {
  // Of each group of points the highest one is drawn: peaks are what is looked for.
  const size_t step = std::max<size_t>(1, curve.points.size() / kPointsMax);
  std::string path;
  double last_y = 0;
  for (size_t i = 0; i < curve.points.size(); i += step) {
    auto point = curve.points[i];
    for (size_t j = i; j < std::min(i + step, curve.points.size()); ++j) {
      point.second = std::max(point.second, curve.points[j].second);
    }
    const double y = frame.Y(point.second);
    if (path.empty()) {
      path = "M" + Coordinate(frame.X(point.first)) + " " + Coordinate(y);
    } else if (y == last_y && i + step < curve.points.size()) {
      continue;
    } else {
      path += "H" + Coordinate(frame.X(point.first)) + "V" + Coordinate(y);
    }
    last_y = y;
  }
  return path;
}

std::string Axes(const Panel& panel, const Frame& frame) {
  std::string out = Text(kLeft, frame.top - 8, panel.title, "fill=\"#1f2328\"");
  for (const double part : {0.0, 0.5, 1.0}) {
    const std::string y = Coordinate(frame.Y(frame.most * part));
    out += "<path d=\"M" + Coordinate(kLeft) + " " + y + "H" + Coordinate(kWidth - kRight) +
           "\" stroke=\"#d0d7de\"/>\n";
    out += Text(kLeft - 6, frame.Y(frame.most * part) + 4, Number(frame.most * part),
                "text-anchor=\"end\" fill=\"#57606a\"");
  }
  for (int i = 0; i <= 4; ++i) {
    const double at = frame.first + (frame.last - frame.first) * i / 4;
    const char* anchor = i == 0   ? "text-anchor=\"start\""
                         : i == 4 ? "text-anchor=\"end\""
                                  : "text-anchor=\"middle\"";
    out += Text(frame.X(at), frame.top + kPanelHeight + 15, Number(std::round(at)) + " s",
                std::string(anchor) + " fill=\"#57606a\"");
  }
  return out;
}

std::string DrawPanel(const Panel& panel, const Frame& frame) {
  std::string out;
  for (const auto& [from, to] : panel.shaded) {
    out += "<rect x=\"" + Coordinate(frame.X(from)) + "\" y=\"" + Coordinate(frame.top) +
           "\" width=\"" + Coordinate(std::max(1.0, frame.X(to) - frame.X(from))) + "\" height=\"" +
           Coordinate(kPanelHeight) + "\" fill=\"#fff1e5\"/>\n";
  }
  out += Axes(panel, frame);
  double legend = kWidth - kRight;
  const auto name = [&](const std::string& text, const std::string& colour) {
    out += Text(legend, frame.top - 8, text, "text-anchor=\"end\" fill=\"" + colour + "\"");
    legend -= 7.0 * static_cast<double>(text.size()) + 18;
  };
  if (!panel.shaded.empty()) name(panel.shade_name + " (shaded)", "#bc4c00");
  for (size_t i = 0; i < panel.curves.size(); ++i) {
    const std::string colour = kColours[i % kColours.size()];
    name(panel.curves[i].name, colour);
    out += "<path d=\"" + Path(panel.curves[i], frame) + "\" fill=\"none\" stroke=\"" + colour +
           "\" stroke-width=\"1.5\"/>\n";
  }
  return out;
}

}  // namespace

std::string DrawPanels(const std::string& title, const std::vector<Panel>& panels) {
  Frame frame{.first = std::numeric_limits<double>::max(), .last = 0};
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      if (curve.points.empty()) continue;
      frame.first = std::min(frame.first, curve.points.front().first);
      frame.last = std::max(frame.last, curve.points.back().first);
    }
  }
  if (frame.first >= frame.last)
    frame.first = std::min(frame.first, frame.last), frame.last = frame.first + 1;
  std::string out =
      Head(kTop + 16 + static_cast<double>(panels.size()) * (kPanelHeight + kPanelGap), title);
  frame.top = kTop + 16;
  for (const Panel& panel : panels) {
    double most = 0;
    for (const Curve& curve : panel.curves) {
      for (const auto& [at, value] : curve.points) most = std::max(most, value);
    }
    frame.most = RoundUp(most);
    out += DrawPanel(panel, frame);
    frame.top += kPanelHeight + kPanelGap;
  }
  return out + "</svg>\n";
}

std::string DrawBars(const std::string& title, const std::vector<BarGroup>& groups) {
  constexpr double kBarHeight = 26;
  double height = kTop;
  for (const BarGroup& group : groups)
    height += 34 + kBarHeight * static_cast<double>(group.bars.size());
  std::string out = Head(height + 8, title);
  double y = kTop;
  for (const BarGroup& group : groups) {
    y += 20;
    out += Text(kLeft, y, group.title, "fill=\"#1f2328\"");
    y += 14;
    double most = 0;
    for (const auto& [name, value] : group.bars) most = std::max(most, value);
    for (size_t i = 0; i < group.bars.size(); ++i) {
      const auto& [name, value] = group.bars[i];
      const double length = most > 0 ? 560 * value / most : 0;
      out += Text(kLeft + 112, y + 14, name, "text-anchor=\"end\" fill=\"#57606a\"");
      out += "<rect x=\"" + Coordinate(kLeft + 120) + "\" y=\"" + Coordinate(y) + "\" width=\"" +
             Coordinate(length) + "\" height=\"18\" fill=\"" + kColours[i % kColours.size()] +
             "\"/>\n";
      out += Text(kLeft + 126 + length, y + 14, Number(value), "fill=\"#1f2328\"");
      y += kBarHeight;
    }
  }
  return out + "</svg>\n";
}

}  // namespace updraft::cli
