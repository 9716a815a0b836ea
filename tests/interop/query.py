"""A client of the query service that knows it by gRPC reflection only."""

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

CALL_SECONDS = 30


class QueryClient:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))

    def call(self, service, method, /, **fields):
        """Calls `llm_observatory.v1.<service>/<method>`; gives the response, or all responses of a stream."""
        described = self.pool.FindServiceByName(f"llm_observatory.v1.{service}").methods_by_name[method]
        request = GetMessageClass(described.input_type)(**fields)
        kind = self.channel.unary_stream if described.server_streaming else self.channel.unary_unary
        invoke = kind(
            f"/{described.containing_service.full_name}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )
        response = invoke(request, timeout=CALL_SECONDS)
        return list(response) if described.server_streaming else response

    def pages(self, service, method, /, **fields):
        """All pages of a List method."""
        token, pages = "", []
        while token or not pages:
            pages.append(self.call(service, method, page_token=token, **fields))
            token = pages[-1].next_page_token
        return pages
