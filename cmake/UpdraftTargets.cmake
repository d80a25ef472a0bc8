# The three kinds of target that Updraft has, and the flags they share.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# ccache needs the sloppiness to cache translation units that use a precompiled header.
find_program(UPDRAFT_CCACHE ccache)
if(UPDRAFT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${UPDRAFT_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()

find_program(UPDRAFT_LLD ld.lld)
if(UPDRAFT_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# Both change predefined macros: said once, for all, they keep the precompiled headers valid for every target.
add_compile_options(-pthread $<$<COMPILE_LANGUAGE:CXX>:-Wpedantic>)

if(UPDRAFT_SANITIZE)
  add_compile_options(-fsanitize=${UPDRAFT_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${UPDRAFT_SANITIZE})
endif()

add_library(updraft_flags INTERFACE)
target_compile_options(updraft_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # g++ 12 raises false alarms here on std::variant and std::string at -O2 and above.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized\;-Wno-restrict>
  $<$<BOOL:${UPDRAFT_WERROR}>:-Werror>)

# Precompiled headers: `std` for code that uses the standard library and JSON, `grpc` for code that
# speaks gRPC, both again with GoogleTest for tests. Every other target reuses one of the four.
add_library(updraft_pch_std OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch/pch.cc)
target_precompile_headers(updraft_pch_std PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch/std.h)
add_library(updraft_pch_grpc OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch/pch.cc)
target_precompile_headers(updraft_pch_grpc PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch/grpc.h)
# g++ 12 crashes on a header that was precompiled with less optimisation than its user.
# It inlines as at -O3, whose other work brings false alarms, and does not stop in a unit of many sources.
set(UPDRAFT_INLINING --param=large-unit-insns=100000 --param=early-inlining-insns=14
                     --param=max-inline-insns-auto=30 --param=inline-min-speedup=15)
set(UPDRAFT_HOT_OPTIONS $<$<CONFIG:Release>:-O2>
    "$<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:${UPDRAFT_INLINING}>"
    # False alarms on std::string.
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread;-Wno-stringop-overflow>")
add_library(updraft_pch_hot OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch/pch.cc)
target_precompile_headers(updraft_pch_hot PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch/std.h)
target_compile_options(updraft_pch_hot PRIVATE ${UPDRAFT_HOT_OPTIONS})
# Most of the time a test takes is the compiler's.
set(UPDRAFT_TEST_OPTIONS $<$<CONFIG:Release>:-O0>)
foreach(kind std grpc)
  add_library(updraft_pch_test_${kind} OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/pch/pch.cc)
  target_precompile_headers(updraft_pch_test_${kind} PRIVATE
    ${PROJECT_SOURCE_DIR}/cmake/pch/${kind}.h <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(updraft_pch_test_${kind} PRIVATE ${UPDRAFT_TEST_OPTIONS})
  # The library's own definitions; it is found after this file is read.
  target_link_libraries(updraft_pch_test_${kind} PRIVATE GTest::gmock)
endforeach()

# updraft_library(<name> [HOT] [PCH std|grpc] SRCS <files...> [DEPS <public targets...>] [PRIVATE_DEPS ...])
# All sources are listed by hand: a new file is a decision and shows in review. HOT: on the path of every request, and
# worth the time that optimising takes.
function(updraft_library name)
  cmake_parse_arguments(ARG "HOT" "PCH" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} updraft_flags)
  if(ARG_HOT)
    target_compile_options(${name} PRIVATE ${UPDRAFT_HOT_OPTIONS})
    set(ARG_PCH hot)
  endif()
  updraft_compile_together(${name} "${ARG_PCH}")
endfunction()

# updraft_program(<name> [PCH ...] SRCS <files...> DEPS <targets...>)
function(updraft_program name)
  cmake_parse_arguments(ARG "" "PCH;OUTPUT" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} updraft_flags)
  if(ARG_OUTPUT)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME ${ARG_OUTPUT})
  endif()
  updraft_compile_together(${name} "${ARG_PCH}")
endfunction()

# updraft_test(<name> SRCS <files...> DEPS <targets...> [PCH ...] [LABEL unit|sim|contract|integration])
function(updraft_test name)
  cmake_parse_arguments(ARG "" "LABEL;PCH;TIMEOUT" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${UPDRAFT_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main updraft_flags)
  if(NOT ARG_PCH)
    set(ARG_PCH std)
  endif()
  updraft_compile_together(${name} test_${ARG_PCH})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()

# Most of what a small source costs is headers and the templates that its neighbours instantiate too: together they
# take half the time. Names in anonymous namespaces are therefore distinct within a target.
set(UPDRAFT_UNITY_BATCH 12)

function(updraft_compile_together name kind)
  if(NOT kind)
    set(kind std)
  endif()
  target_precompile_headers(${name} REUSE_FROM updraft_pch_${kind})
  if(UPDRAFT_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${UPDRAFT_UNITY_BATCH}
                                             UNITY_BUILD_UNIQUE_ID UPDRAFT_UNITY)
    # g++ takes everything that the first file includes for a header.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
