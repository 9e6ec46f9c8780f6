package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The words of AUTH, in which every byte may stand, percent-encoded: {@code %} and two hexadecimal digits. */
final class AuthWords {

    private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);

    private AuthWords() {}

    static Request parse(RequestLine line) {
        if (line.arguments() != 2 || line.isEmpty(0) || line.isEmpty(1)) {
            return Verb.AUTH.malformed();
        }
        byte[] user = line.bytes(0);
        byte[] secret = line.bytes(1);
        int userLength = decode(user);
        int secretLength = decode(secret);
        if (userLength > Limits.SECRET_BYTES_MAX || secretLength > Limits.SECRET_BYTES_MAX) {
            return Verb.AUTH.malformed("each of them has at most " + Limits.SECRET_BYTES_MAX + " bytes");
        }
        return userLength < 0 || secretLength < 0
                ? Verb.AUTH.malformed("after each % there must be two hexadecimal digits")
                : new Command.Auth(Arrays.copyOf(user, userLength), Arrays.copyOf(secret, secretLength));
    }

    /** Decodes in place; the new length, or -1 if a {@code %} is not followed by two digits. */
    private static int decode(byte[] word) {
        int to = 0;
        for (int from = 0; from < word.length; from++) {
            byte next = word[from];
            if (next == '%') {
                int high = from + 2 < word.length ? Character.digit(word[from + 1], 16) : -1;
                int low = from + 2 < word.length ? Character.digit(word[from + 2], 16) : -1;
                if (high < 0 || low < 0) {
                    return -1;
                }
                next = (byte) (high << 4 | low);
                from += 2;
            }
            word[to++] = next;
        }
        return to;
    }

    /** Writes a word with all bytes but letters, digits and {@code . _ -} encoded. */
    static void encode(byte[] word, ByteBuf out) {
        for (byte next : word) {
            boolean plain = (next >= '0' && next <= '9')
                    || (next >= 'A' && next <= 'Z')
                    || (next >= 'a' && next <= 'z')
                    || next == '.'
                    || next == '_'
                    || next == '-';
            if (plain) {
                out.writeByte(next);
            } else {
                out.writeByte('%').writeByte(HEX[(next >> 4) & 0xF]).writeByte(HEX[next & 0xF]);
            }
        }
    }
}
