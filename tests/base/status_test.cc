// SPDX-License-Identifier: Apache-2.0

#include <scree/status.h>

#include <gtest/gtest.h>

namespace scree {
namespace {

TEST(Status, is_ok_when_it_says_nothing) {
  EXPECT_TRUE(Status().is_ok());
  EXPECT_EQ(Status().to_string(), "OK");
  EXPECT_TRUE(Status().with_context("reading").is_ok());
}

TEST(Status, names_its_code_and_its_thing) {
  const Status status = Status::corruption("a.log: at offset 64");
  EXPECT_TRUE(status.is_corruption());
  EXPECT_EQ(status.to_string(), "Corruption: a.log: at offset 64");
  EXPECT_EQ(status.with_context("opening").message(), "opening: a.log: at offset 64");
  EXPECT_EQ(status.with_context("opening").code(), StatusCode::kCorruption);
}

TEST(Status, tells_a_full_device_from_a_broken_one) {
  EXPECT_TRUE(Status::no_space("x").is_no_space());
  EXPECT_TRUE(Status::no_space("x").is_io_error());
  EXPECT_FALSE(Status::io_error("x").is_no_space());
  EXPECT_TRUE(Status::no_space("x").with_context("y").is_no_space());
  EXPECT_EQ(Status::no_space("x").to_string(), "NoSpace: x");
}

TEST(Status, copies_own_their_message) {
  Status copy;
  {
    const Status status = Status::busy("LOCK");
    copy = status;
    EXPECT_EQ(status.message(), "LOCK");
  }
  EXPECT_EQ(copy.message(), "LOCK");
  const Status& self = copy;
  copy = self;
  EXPECT_TRUE(copy.is_busy());
  copy = Status();
  EXPECT_TRUE(copy.is_ok());
}

}  // namespace
}  // namespace scree
