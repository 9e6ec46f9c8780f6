package io.dshm.server.transport;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import java.io.IOException;

/** The messages that calls consist of. The transport itself knows none of them. Thread-safe. */
public interface CallMessages {

    /**
     * The number of that kind of message on the wire, from 1 to 255.
     *
     * @throws IllegalArgumentException if it is none for calls
     */
    int kindOf(MessageLite message);

    /**
     * Reads a message; keeps nothing of the stream.
     *
     * @throws IOException if the bytes are none of that kind, or there is no such kind
     */
    MessageLite parse(int kind, CodedInputStream bytes) throws IOException;
}
