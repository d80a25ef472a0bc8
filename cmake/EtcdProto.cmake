# Copies the part of etcd's API definitions that the store speaks (the KV and Watch services and their
# messages) from Debian's Go source package into the build folder, without the options that only Go's
# generators understand.

# Sets <root> to the include root and <files> to the prepared files relative to it.
function(updraft_prepare_etcd_proto root files)
  set(source ${UPDRAFT_GOCODE}/go.etcd.io/etcd)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/etcd-proto)
  set(rpc etcd/etcdserver/etcdserverpb/rpc.proto)
  set(kv etcd/mvcc/mvccpb/kv.proto)
  foreach(file etcdserver/etcdserverpb/rpc.proto mvcc/mvccpb/kv.proto)
    if(NOT EXISTS ${source}/${file})
      message(FATAL_ERROR "${source}/${file} is missing: run deploy/install-deps")
    endif()
  endforeach()

  file(READ ${source}/etcdserver/etcdserverpb/rpc.proto text)
  updraft_cut(text "service Lease {" "message ResponseHeader {")  # the services between
  updraft_cut(text "message LeaseGrantRequest {" "")              # and their messages
  string(REGEX REPLACE "import \"(gogoproto|google/api|etcd/auth)[^;]*;" "" text "${text}")
  string(REGEX REPLACE "option \\(gogoproto[^;]*;" "" text "${text}")
  string(REGEX REPLACE "[ \t]*{[ \t\n]*option \\(google.api.http\\) = {[^}]*};[ \t\n]*}" ";" text "${text}")
  file(CONFIGURE OUTPUT ${out}/${rpc} CONTENT "${text}" @ONLY)
  updraft_strip_go_options(${source}/mvcc/mvccpb/kv.proto ${out}/${kv})
  set(${root} ${out} PARENT_SCOPE)
  set(${files} ${kv} ${rpc} PARENT_SCOPE)
endfunction()

# Takes what lies from the text `from` up to the text `to` (empty: the end) out of the variable <name>.
function(updraft_cut name from to)
  string(FIND "${${name}}" "${from}" begin)
  set(end -1)
  if(to)
    string(FIND "${${name}}" "${to}" end)
  endif()
  if(begin EQUAL -1 OR (to AND end EQUAL -1))
    message(FATAL_ERROR "etcd's rpc.proto is not as expected: no \"${from}\" or \"${to}\"")
  endif()
  string(SUBSTRING "${${name}}" 0 ${begin} head)
  set(tail)
  if(to)
    string(SUBSTRING "${${name}}" ${end} -1 tail)
  endif()
  set(${name} "${head}${tail}" PARENT_SCOPE)
endfunction()
