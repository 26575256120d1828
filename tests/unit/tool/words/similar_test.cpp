// SPDX-License-Identifier: MIT
// Words that somebody may have meant.
#include "words/similar.hpp"

#include <gtest/gtest.h>

namespace memplug {
namespace {

const std::vector<std::string> verbs{"status", "list", "plug", "unplug", "target", "test", "map"};

TEST(Similar, OneOrTwoCharactersMayBeWrong) {
  EXPECT_EQ(most_similar("unplg", verbs), "unplug");
  EXPECT_EQ(most_similar("unpulg", verbs), "unplug");
  EXPECT_EQ(most_similar("statsu", verbs), "status");
  EXPECT_EQ(most_similar("plugg", verbs), "plug");
  EXPECT_EQ(most_similar("TARGET", verbs), std::nullopt);
}

TEST(Similar, OfSeveralThatAreAsNearTheFirstIsMeant) {
  EXPECT_EQ(most_similar("nplug", verbs), "plug");
}

TEST(Similar, WhatIsFarFromAllIsNone) {
  EXPECT_EQ(most_similar("remove", verbs), std::nullopt);
  EXPECT_EQ(most_similar("xy", verbs), std::nullopt);
  EXPECT_EQ(most_similar("", verbs), std::nullopt);
  EXPECT_EQ(most_similar("unplug", {}), std::nullopt);
}

}  // namespace
}  // namespace memplug
