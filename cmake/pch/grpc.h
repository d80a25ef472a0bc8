// std.h plus gRPC and Protobuf, the slowest headers to parse; see UpdraftTargets.cmake.
#pragma once

#include "std.h"

#include <google/protobuf/message.h>
#include <google/protobuf/map.h>
#include <google/protobuf/repeated_field.h>
#include <grpcpp/grpcpp.h>
