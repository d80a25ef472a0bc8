// What the tests of images share.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/integration/image/fake_registry.h"
#include "tests/integration/image/image_lab.h"
#include "tests/integration/image/test_image.h"

namespace updraft::node_agent {

class ImageTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static ImageLab& lab() { return *lab_; }

  // Of the error; empty on success.
  template <typename T>
  static std::string Message(const Result<T>& result) {
    return result ? "" : result.error().message;
  }

  // Spins until `condition` holds; fails the test after 20 s.
  static void Await(const std::string& what, const std::function<bool()>& condition);

  static RegistriesConfig Registries(const std::string& yaml);

 private:
  static std::unique_ptr<ImageLab> lab_;
};

}  // namespace updraft::node_agent
