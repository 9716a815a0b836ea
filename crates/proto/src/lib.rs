#![doc = include_str!("../README.md")]

pub use opentelemetry_proto::tonic as otlp;

/// The package `llm_observatory.v1`: messages, and one module for each side of each service.
#[expect(clippy::allow_attributes, reason = "generated code allows lints for itself")]
pub mod v1 {
    include!("generated/llm_observatory.v1.rs");
}

/// The encoded `google.protobuf.FileDescriptorSet` of the query API, of OTLP's collector services for traces,
/// metrics and logs, and of all files that these import. For gRPC reflection; it holds no comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.binpb");
