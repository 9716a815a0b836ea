#![doc = include_str!("../README.md")]

pub use opentelemetry_proto::tonic as otlp;

/// The package `llm_observatory.v1`: messages, and one module for each side of each service.
#[expect(clippy::allow_attributes, reason = "generated: the generator quiets its own lints")]
pub mod v1 {
    include!("generated/llm_observatory.v1.rs");
}

/// The encoded `google.protobuf.FileDescriptorSet` of the query API, of OTLP's collector services for traces,
/// metrics and logs, and of everything that they import. It is meant for gRPC reflection, and has no comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.binpb");
