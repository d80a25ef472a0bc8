# The resource model: what a manifest may say, and what is made of it. Pure, no I/O.
#   core_api  JSON and YAML, schemas, kinds, defaults, validation, patches, conditions, selectors
# Depends on core_base, nlohmann-json, yaml-cpp (reading alone) and OpenSSL (MD5 of long names).

updraft_library(core_api
  SRCS api/access.cc api/autoscaler_config.cc api/base64.cc api/canonical.cc api/claim.cc api/conditions.cc api/config_example.cc api/config_reader.cc api/core_columns.cc api/defaults.cc
       api/deployment_config.cc api/diff.cc api/domain_config.cc
       api/duration.cc api/event_view.cc api/field_error.cc api/field_selector.cc api/field_set.cc api/field_tree.cc
       api/gc_config.cc api/go_number.cc api/go_template.cc api/go_template_reader.cc api/image_reference.cc
       api/json_patch.cc api/kinds.cc api/kubernetes_proto.cc api/label_selector.cc api/managed_fields.cc api/meta.cc api/names.cc
       api/network_config.cc api/observability_config.cc api/quantity.cc
       api/read_json.cc api/read_yaml.cc api/revision_defaults.cc api/schedule.cc api/schema.cc
       api/serving_columns.cc api/serving_config.cc api/strategic_merge.cc api/time_zone.cc api/timestamp.cc
       api/tree_builder.cc api/write_yaml.cc api/yaml_scalar.cc
       api/schemas/container_schema.cc api/schemas/core_schema.cc api/schemas/meta_schema.cc
       api/schemas/pod_spec_schema.cc api/schemas/serving_schema.cc
       api/validate/container.cc api/validate/domain_mapping.cc api/validate/kubernetes.cc api/validate/masks.cc
       api/validate/mounts.cc api/validate/pod.cc api/validate/pod_spec.cc api/validate/probes.cc
       api/validate/scaling_annotations.cc api/validate/security.cc api/validate/serving.cc
       api/validate/traffic.cc api/validate/volumes.cc
  DEPS core_base nlohmann_json::nlohmann_json
  PRIVATE_DEPS yaml-cpp OpenSSL::Crypto)
