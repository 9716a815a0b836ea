//! gRPC reflection: each port describes its own services, and no others.

use llm_observatory_proto::FILE_DESCRIPTOR_SET;
use tonic::transport::server::Router;
use tonic_reflection::server::Builder;

/// The services that every port has besides its own.
const BESIDE: &[&str] = &[
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Adds both versions of reflection to a router that has the health service and `services` (full names).
pub(crate) fn add(router: Router, services: &[&str], max_message_bytes: usize) -> Router {
    let builder = || {
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // Each version registers itself alone, so both descriptors are added here.
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
        services.iter().chain(BESIDE).fold(builder, |builder, name| builder.with_service_name(*name))
    };
    // The descriptors are compiled in, and an end-to-end test reads them. If they were broken, only reflection would be
    // missing.
    let (Ok(v1), Ok(v1alpha)) = (builder().build_v1(), builder().build_v1alpha()) else { return router };
    router
        .add_service(v1.max_decoding_message_size(max_message_bytes))
        .add_service(v1alpha.max_decoding_message_size(max_message_bytes))
}
