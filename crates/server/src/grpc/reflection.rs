//! gRPC reflection: each port describes the services that it has, and no others.

use llm_observatory_proto::FILE_DESCRIPTOR_SET;
use tonic::transport::server::Router;
use tonic_reflection::server::Builder;

/// What every port has beside its own services.
const BESIDE: &[&str] = &[
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Adds both versions of reflection to a router that has these services (by their full names) and health.
pub(crate) fn add(router: Router, services: &[&str], max_message_bytes: usize) -> Router {
    let builder = || {
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // Each version registers itself; this is for questions about the other one.
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
        services.iter().chain(BESIDE).fold(builder, |builder, name| builder.with_service_name(*name))
    };
    // The descriptors are part of the program and checked by a test; without them only reflection would be missing.
    let (Ok(v1), Ok(v1alpha)) = (builder().build_v1(), builder().build_v1alpha()) else { return router };
    router
        .add_service(v1.max_decoding_message_size(max_message_bytes))
        .add_service(v1alpha.max_decoding_message_size(max_message_bytes))
}
