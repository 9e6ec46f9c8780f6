package io.dshm.server.transport;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.io.IOException;

/** Calls of one kind of message, which holds any bytes. */
final class TestMessages implements CallMessages {

    static final int KIND = 7;

    static BytesValue of(int bytes) {
        return BytesValue.of(ByteString.copyFrom(new byte[bytes]));
    }

    static BytesValue of(String text) {
        return BytesValue.of(ByteString.copyFromUtf8(text));
    }

    @Override
    public int kindOf(MessageLite message) {
        return KIND;
    }

    @Override
    public MessageLite parse(int kind, CodedInputStream bytes) throws IOException {
        if (kind != KIND) {
            throw new InvalidProtocolBufferException("unknown kind " + kind);
        }
        return BytesValue.parseFrom(bytes);
    }
}
