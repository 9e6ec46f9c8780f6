package io.dshm.proto;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;

/**
 * Parses messages of which every field counts: one that holds a field unknown to this version, at any depth, is
 * refused. A node that skipped it would have another state than the nodes that know it.
 *
 * <p>How it works: unknown fields are dropped while parsing; if any was there, what was understood is shorter than what
 * was read. That holds for all messages because protobuf writes the same content in the same number of bytes, and it
 * costs one pass over the message's sizes, which are needed anyway when it is written again. Immutable.
 *
 * @param <M> the kind of message
 */
public final class StrictParser<M extends Message> {

    /** A message holds a field that this version does not know. */
    public static final class UnknownFieldException extends InvalidProtocolBufferException {

        private static final long serialVersionUID = 1;

        UnknownFieldException() {
            super("it holds a field that this version does not know");
        }
    }

    private final Parser<M> parser;

    /** A parser that adds strictness to this one. */
    public StrictParser(Parser<M> parser) {
        this.parser = DiscardUnknownFieldsParser.wrap(parser);
    }

    /**
     * Parses all of these bytes. What the message holds of them (strings of bytes) shares them.
     *
     * @throws InvalidProtocolBufferException if they are not such a message, or hold an unknown field
     */
    public M parse(ByteBuffer bytes) throws InvalidProtocolBufferException {
        M message = parseLeniently(bytes);
        requireKnown(message, bytes);
        return message;
    }

    /** The same, but for unknown fields, which are dropped; {@link #requireKnown} may follow. */
    public M parseLeniently(ByteBuffer bytes) throws InvalidProtocolBufferException {
        CodedInputStream in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
        in.enableAliasing(true);
        M message = parser.parseFrom(in);
        in.checkLastTagWas(0);
        return message;
    }

    /**
     * Refuses a message that was parsed leniently, if something in it was dropped.
     *
     * @throws UnknownFieldException if these bytes, of which the message was parsed, hold more than it
     */
    public void requireKnown(M message, ByteBuffer bytes) throws UnknownFieldException {
        if (message.getSerializedSize() != bytes.remaining()) {
            throw new UnknownFieldException();
        }
    }
}
