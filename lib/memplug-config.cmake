# SPDX-License-Identifier: MIT
# find_package(memplug) reads this; it makes the target memplug::memplug.
include(${CMAKE_CURRENT_LIST_DIR}/memplug-targets.cmake)
