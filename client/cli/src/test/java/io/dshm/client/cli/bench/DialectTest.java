package io.dshm.client.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is sent to each kind of server, and how its replies are understood, in whatever pieces they come. */
class DialectTest {

    private static final Dialect DSHM = new DshmDialect("r::", "local", "log 5 1.000", null);
    private static final Dialect REDIS = new RedisDialect("r::");
    private static final Dialect MEMCACHED = new MemcachedDialect("r::");

    private static Request request(Op op) {
        Request request = new Request();
        request.op = op;
        request.space = op.space;
        request.key = 42;
        request.size = 9;
        request.tag = 33;
        return request;
    }

    private static String sent(Dialect dialect, Request request) {
        Bytes out = new Bytes();
        dialect.write(out, request);
        return new String(out.bytes(), StandardCharsets.ISO_8859_1).replace("\r\n", "|");
    }

    private static String sent(Dialect dialect, Op op) {
        return sent(dialect, request(op));
    }

    private static Request storing(long version) {
        Request request = request(Op.CAS);
        request.stores = true;
        request.version = version;
        return request;
    }

    /** Reads replies byte by byte: what became of each, and its value. */
    private static List<String> replies(Dialect dialect, byte[] bytes) throws ProtocolException {
        List<String> replies = new ArrayList<>();
        Bytes in = new Bytes();
        Reply reply = new Reply();
        for (byte b : bytes) {
            in.put(b);
            if (dialect.read(in, reply, new Bytes())) {
                replies.add(reply.outcome + " " + (reply.tag() < 0 ? reply.asNumber() : "tag " + reply.tag())
                        + (reply.version == 0 ? "" : " version " + reply.version)
                        + reply.error);
            }
        }
        assertTrue(in.isEmpty());
        return replies;
    }

    private static List<String> replies(Dialect dialect, String text) throws ProtocolException {
        return replies(dialect, text.replace("|", "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void dshm() throws ProtocolException {
        assertEquals("GET r::v42 read=local|", sent(DSHM, Op.GET));
        assertEquals("SET r::v42 0 9|00000011v", sent(DSHM, Op.SET));
        assertEquals("PUT r::a42 0 9 type=raw if=absent|00000011v", sent(DSHM, Op.ADD));
        assertEquals("FETCH r::s42 read=local|", sent(DSHM, Op.CAS));
        assertEquals("PUT r::s42 0 2 type=raw if=7|33", sent(DSHM, storing(7)));
        assertEquals("PUT r::s42 0 2 type=raw if=absent|33", sent(DSHM, storing(0)));
        assertEquals("INCR r::c42 1 0|", sent(DSHM, Op.INCR));
        assertEquals("TAKE r::t42 log 5 1.000|", sent(DSHM, Op.TAKE));
        assertEquals("RPUSH r::l42 9|00000011v", sent(DSHM, Op.PUSH));
        assertEquals(
                List.of(
                        "OK 42",
                        "OK tag 33",
                        "OK -1",
                        "NO -1",
                        "MISS -1not_found",
                        "NO -1exists",
                        "UNKNOWN -1timeout",
                        "FAILED -1busy no room",
                        "UNKNOWN -1new_code"),
                replies(
                        DSHM,
                        "LEN 2|42|DONE|LEN 9 type=raw|00000011v|DONE|DONE allowed=1 limit=5|DONE allowed=0 limit=5|"
                                + "ERROR not_found|ERROR exists|ERROR timeout|ERROR busy no room|ERROR new_code|"));
        assertEquals(List.of("OK 3 version 17"), replies(DSHM, "LEN 1 type=raw version=17|3|DONE|"));
        assertThrows(ProtocolException.class, () -> replies(DSHM, "HTTP/1.1 400 Bad Request|"));
    }

    @Test
    void redis() throws ProtocolException {
        assertEquals("*2|$3|GET|$6|r::v42|", sent(REDIS, Op.GET));
        assertEquals("*3|$3|SET|$6|r::v42|$9|00000011v|", sent(REDIS, Op.SET));
        assertEquals("*4|$3|SET|$6|r::a42|$9|00000011v|$2|NX|", sent(REDIS, Op.ADD));
        assertEquals("*3|$6|EXPIRE|$6|r::v42|$4|3600|", sent(REDIS, Op.TOUCH));
        assertEquals(
                List.of("OK -1", "OK 42", "OK tag 33", "MISS -1", "FAILED -1ERR no"),
                replies(REDIS, "+OK|:42|$9|00000011v|$-1|-ERR no|"));
    }

    @Test
    void memcached() throws ProtocolException {
        assertEquals("get r::v42|", sent(MEMCACHED, Op.GET));
        assertEquals("set r::v42 0 0 9|00000011v|", sent(MEMCACHED, Op.SET));
        assertEquals("gets r::s42|", sent(MEMCACHED, Op.CAS));
        assertEquals("cas r::s42 0 0 2 7|33|", sent(MEMCACHED, storing(7)));
        assertEquals("add r::s42 0 0 2|33|", sent(MEMCACHED, storing(0)));
        assertEquals(
                List.of(
                        "OK tag 33",
                        "OK 5 version 7",
                        "MISS -1",
                        "OK -1",
                        "NO -1",
                        "OK 42",
                        "FAILED -1SERVER_ERROR full"),
                replies(
                        MEMCACHED,
                        "VALUE k 0 9|00000011v|END|VALUE k 0 1 7|5|END|END|STORED|EXISTS|42|SERVER_ERROR full|"));
    }

    /** The messages are those that etcd 3.5 has sent; see also the table of fields in its rpc.proto. */
    @Test
    void etcd() throws ProtocolException {
        EtcdDialect etcd = new EtcdDialect("r::", false, 1);
        Bytes out = new Bytes();
        etcd.write(out, request(Op.GET));
        etcd.write(out, storing(7));
        etcd.write(out, request(Op.GET));
        String sent = HexFormat.of().formatHex(out.bytes());
        // A range of this key, serializable.
        assertTrue(sent.contains("00000000" + "0a" + "0a06" + hex("r::v42") + "3801"), sent);
        // Compare the revision with 7; then put "33".
        assertTrue(
                sent.contains("0a0c" + "1002" + "1a06" + hex("r::s42") + "3007" + "120e" + "120c" + "0a06"
                        + hex("r::s42") + "1202" + hex("33")),
                sent);
        // The third request refers to headers that the first one has told.
        assertEquals(2, sent.split(hex("/etcdserverpb.KV/Range"), -1).length - 1);
        assertEquals(1, sent.split(hex("application/grpc"), -1).length - 1);
        String entry = "0a06" + hex("r::v42") + "1009" + "1807" + "2001" + "2a01" + hex("3");
        byte[] replies = HexFormat.of()
                .parseHex(frame(0, 0, 1, message("0a00" + "12" + length(entry) + entry + "2001"))
                        + frame(1, 5, 1, "88")
                        + frame(4, 0, 0, "")
                        + frame(0, 0, 3, message("0a00" + "1001"))
                        + frame(1, 5, 3, "88")
                        + frame(0, 0, 5, message("0a00"))
                        + frame(1, 5, 5, "88"));
        assertEquals(List.of("OK 3 version 7", "OK -1", "MISS -1"), replies(etcd, replies));
        etcd.write(out, request(Op.SET));
        assertEquals(
                List.of("UNKNOWN -1the call failed"),
                replies(etcd, HexFormat.of().parseHex(frame(1, 5, 7, "88"))));
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String length(String hex) {
        return HexFormat.of().toHexDigits((byte) (hex.length() / 2));
    }

    private static String message(String hex) {
        return "00000000" + length(hex) + hex;
    }

    private static String frame(int type, int flags, int stream, String payload) {
        return "0000" + length(payload) + HexFormat.of().toHexDigits((byte) type)
                + HexFormat.of().toHexDigits((byte) flags) + HexFormat.of().toHexDigits(stream) + payload;
    }

    @Test
    void a_value_says_which_write_it_is_of() {
        Bytes bytes = new Bytes();
        byte[] value = bytes.value(123_456_789, 30).bytes();
        assertEquals(123_456_789, Bytes.tagOf(value, 0, 30));
        assertEquals(-1, Bytes.tagOf(value, 0, 29));
        value[25]++;
        assertEquals(-1, Bytes.tagOf(value, 0, 30), Arrays.toString(value));
    }
}
