package io.dshm.client.cli.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.util.BitSet;
import javax.net.ssl.SSLException;

/** Requests beside the load: before it, that there is something to read, and after it, to see what has come of it. */
final class Bulk {

    /** Requests on their way, at most; fewer of large values. */
    static final int AT_ONCE = 64;

    private static final long PAUSE_MILLIS = 100;

    private final Plan plan;
    private final Target target;
    private final String prefix;
    private final int atOnce;

    Bulk(Plan plan, Target target, String prefix) {
        this.plan = plan;
        this.target = target;
        this.prefix = prefix;
        this.atOnce = Math.max(1, Math.min(AT_ONCE, EtcdDialect.ON_THE_WAY_MAX / plan.sizeMax()));
    }

    /** What a request is, and what becomes of its reply. */
    interface Job {
        /** Completes a request; false if there is none for that number. */
        boolean prepare(Request request, int number);

        /** Looks at a reply that is no error. */
        void replied(int number, Reply reply);
    }

    /**
     * Does a job for the numbers from 0 on, each again until it is done, the timeout is over or every endpoint refuses;
     * endpoints take turns.
     *
     * @throws IOException if it cannot be done
     */
    void run(int count, Job job) throws IOException {
        BitSet open = new BitSet();
        open.set(0, count);
        long begin = System.nanoTime();
        String problem = "";
        int refusals = 0;
        for (int round = 0; !open.isEmpty(); round++) {
            if (round > 0) {
                if (System.nanoTime() - begin > plan.timeout().toNanos()) {
                    throw new IOException(problem);
                }
                pause();
            }
            InetSocketAddress address =
                    target.endpoints().get(round % target.endpoints().size());
            int before = open.cardinality();
            try (Socket socket = new Socket()) {
                int timeout = (int) plan.timeout().toMillis();
                socket.connect(address, timeout);
                socket.setSoTimeout(timeout);
                socket.setTcpNoDelay(true);
                Security.Tls tls = target.security().tls();
                try (Socket secured = tls == null ? socket : tls.over(socket, address.getHostString())) {
                    problem = pass(secured, open, job, problem);
                    refusals = 0;
                }
            } catch (IOException e) {
                problem = target.name() + ": " + address + ": " + e.getMessage();
                refusals = isRefusal(e) ? refusals + 1 : 0;
                if (refusals >= target.endpoints().size()) {
                    throw new IOException(problem, e);
                }
            }
            if (open.cardinality() < before) {
                begin = System.nanoTime(); // it goes on
            }
        }
    }

    /** Whether a later attempt fails, too: a wrong secret, or a certificate that is not believed. */
    private static boolean isRefusal(IOException e) {
        return e instanceof LoginRefusedException
                || (e instanceof SSLException && e.getCause() instanceof CertificateException);
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Goes through those that are open once; the last error, if there was one. */
    private String pass(Socket socket, BitSet open, Job job, String earlier) throws IOException {
        Dialect dialect = target.dialect(plan, prefix);
        Bytes out = new Bytes();
        Bytes in = new Bytes();
        Request request = new Request();
        Reply reply = new Reply();
        String problem = earlier;
        dialect.hello(out);
        int[] numbers = new int[AT_ONCE];
        int number = open.nextSetBit(0);
        while (number >= 0) {
            int waiting = 0;
            for (; number >= 0 && waiting < atOnce; number = open.nextSetBit(number + 1)) {
                request.exact = true;
                if (job.prepare(request, number)) {
                    dialect.write(out, request);
                    numbers[waiting++] = number;
                } else {
                    open.clear(number);
                }
            }
            for (int i = 0; i < waiting; i++) {
                next(socket, dialect, in, out, reply);
                int of = numbers[reply.number < 0 ? i : (int) (reply.number % atOnce)];
                if (reply.outcome == Reply.Outcome.FAILED || reply.outcome == Reply.Outcome.UNKNOWN) {
                    problem = target.name() + ": " + reply.error;
                } else {
                    job.replied(of, reply);
                    open.clear(of);
                }
            }
        }
        return problem;
    }

    private static void next(Socket socket, Dialect dialect, Bytes in, Bytes out, Reply reply) throws IOException {
        InputStream input = socket.getInputStream();
        while (true) {
            if (!out.isEmpty()) {
                socket.getOutputStream().write(out.array, out.from, out.length());
                out.clear();
            }
            if (!in.isEmpty() && dialect.read(in, reply, out)) {
                return;
            }
            in.ensure(AT_ONCE);
            int bytes = input.read(in.array, in.to, in.array.length - in.to);
            if (bytes < 0) {
                throw new IOException("the server closed the connection");
            }
            in.to += bytes;
        }
    }
}
