// The schemas of all kinds. Pure; each is built once.
#pragma once

#include "core/api/schema.h"

namespace updraft::api {

SchemaRef ObjectMetaSchema();
SchemaRef ListMetaSchema();
SchemaRef DeleteOptionsSchema();
SchemaRef StatusSchema();

// apiVersion, kind and metadata in front of `fields`. `definition` as Kubernetes would name it.
SchemaRef KindSchema(std::string definition, std::string description, std::vector<Field> fields);

// A field of which the API's schema says nothing.
Field Hidden(std::string name, SchemaRef schema);

// A container, and what a pod is made of, with all that Knative knows of them.
SchemaRef ContainerSchema();
SchemaRef ProbeSchema();
SchemaRef VolumeSchema();
std::vector<Field> PodSpecFields();

SchemaRef ServingServiceSchema();
SchemaRef ConfigurationSchema();
SchemaRef RevisionSchema();
SchemaRef RouteSchema();
SchemaRef DomainMappingSchema();
SchemaRef DomainClaimSchema();

SchemaRef NamespaceSchema();
SchemaRef SecretSchema();
SchemaRef ConfigMapSchema();
SchemaRef ServiceAccountSchema();
SchemaRef ClaimSchema();
SchemaRef CoreServiceSchema();
SchemaRef EventSchema();
SchemaRef EventViewSchema();
SchemaRef PodSchema();
SchemaRef NodeSchema();

}  // namespace updraft::api
