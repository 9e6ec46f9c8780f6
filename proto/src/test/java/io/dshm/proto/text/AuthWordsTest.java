package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.dshm.proto.Command;
import io.dshm.proto.Rejection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AuthWordsTest {

    @Test
    void both_words_may_have_every_byte() {
        byte[] all = new byte[256];
        byte[] backwards = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
            backwards[i] = (byte) (255 - i);
        }
        ByteBuf line = Unpooled.buffer();
        RequestEncoder.encode(new Command.Auth(all, backwards), line);
        Command.Auth read =
                assertInstanceOf(Command.Auth.class, new RequestDecoder(10, ValueBudget.UNLIMITED).decode(line));
        assertArrayEquals(all, read.user());
        assertArrayEquals(backwards, read.secret());
        assertFalse(line.isReadable());
    }

    @Test
    void a_longer_word_is_not_kept() {
        ByteBuf line = Unpooled.buffer();
        RequestEncoder.encode(new Command.Auth(new byte[] {'u'}, new byte[257]), line);
        assertInstanceOf(Rejection.class, new RequestDecoder(10, ValueBudget.UNLIMITED).decode(line));
    }

    @Test
    void nothing_shows_the_secret() {
        byte[] word = "word".getBytes(StandardCharsets.US_ASCII);
        assertFalse(new Command.Auth(word, word).toString().contains("word"));
    }
}
