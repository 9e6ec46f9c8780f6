package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.exception.CodecException;
import com.alipay.remoting.serialization.Serializer;

/**
 * Replaces Hessian in Bolt: Hessian would make objects of any class from bytes that a peer chooses. All of Raft's
 * messages are protobuf and never come here.
 */
final class RefusingSerializer implements Serializer {

    @Override
    public byte[] serialize(Object object) throws CodecException {
        throw new CodecException("no serializer for " + object.getClass());
    }

    @Override
    @SuppressWarnings("TypeParameterUnusedInFormals") // Bolt's signature
    public <T> T deserialize(byte[] bytes, String className) throws CodecException {
        throw new CodecException("no deserializer for " + className);
    }
}
