# Copies containerd's API definitions from Debian's Go source package into the build folder, without
# the gogoproto and fieldpath imports and options, which only Go's generator understands and which
# make protoc's C++ generator abort ("import weak").

set(UPDRAFT_GOCODE /usr/share/gocode/src CACHE PATH "Where Debian keeps Go sources")

set(UPDRAFT_CONTAINERD_FILES
  api/types/descriptor.proto api/types/metrics.proto api/types/mount.proto api/types/platform.proto
  api/types/task/task.proto
  api/events/task.proto api/events/container.proto api/events/image.proto
  api/services/containers/v1/containers.proto api/services/content/v1/content.proto
  api/services/diff/v1/diff.proto api/services/events/v1/events.proto
  api/services/images/v1/images.proto api/services/introspection/v1/introspection.proto
  api/services/leases/v1/leases.proto api/services/namespaces/v1/namespace.proto
  api/services/snapshots/v1/snapshots.proto api/services/tasks/v1/tasks.proto
  api/services/version/v1/version.proto
  runtime/v2/runc/options/oci.proto)

# Sets <root> to the include root and <files> to the prepared files relative to it.
function(updraft_prepare_containerd_proto root files)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/containerd-proto)
  set(prepared)
  set(sources)
  foreach(file ${UPDRAFT_CONTAINERD_FILES})
    list(APPEND sources github.com/containerd/containerd/${file})
  endforeach()
  foreach(file ${sources})
    updraft_strip_go_options(${UPDRAFT_GOCODE}/${file} ${out}/${file})
    list(APPEND prepared ${file})
  endforeach()
  updraft_strip_go_options(${UPDRAFT_GOCODE}/github.com/gogo/googleapis/google/rpc/status.proto
                           ${out}/google/rpc/status.proto)
  list(APPEND prepared google/rpc/status.proto)
  set(${root} ${out} PARENT_SCOPE)
  set(${files} ${prepared} PARENT_SCOPE)
endfunction()

function(updraft_strip_go_options from to)
  if(NOT EXISTS ${from})
    message(FATAL_ERROR "${from} is missing: run deploy/install-deps")
  endif()
  file(READ ${from} text)
  string(REGEX REPLACE "import weak \"[^\"]*\";" "" text "${text}")
  string(REGEX REPLACE "import \"gogoproto/gogo.proto\";" "" text "${text}")
  string(REGEX REPLACE "[ \t]*\\[\\(gogoproto[^]]*\\]" "" text "${text}")
  string(REGEX REPLACE "option \\((gogoproto|containerd\\.plugin)[^;]*;" "" text "${text}")
  # `requires` is a keyword in C++20.
  string(REGEX REPLACE "repeated string requires " "repeated string requires_ " text "${text}")
  file(CONFIGURE OUTPUT ${to} CONTENT "${text}" @ONLY)
endfunction()
