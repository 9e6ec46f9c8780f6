package io.dshm.client.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A plot of lines as SVG, whose colours are those of the page that it stands in: classes {@code s0} to {@code s7}, and
 * {@code axis}.
 */
public final class Chart {

    private static final int WIDTH = 760;
    private static final int HEIGHT = 280;
    private static final int LEFT = 64;
    private static final int BOTTOM = 28;
    private static final int TOP = 12;
    private static final int RIGHT = 16;
    private static final int CLASSES = 8;
    private static final int STEPS = 5;
    private static final double DECADE = 10;

    private final String title;
    private final boolean logarithmic;
    private final List<Line> lines = new ArrayList<>();
    private final List<Tick> ticks = new ArrayList<>();

    private record Line(String name, List<Point> points) {}

    /** A point of a line. */
    public record Point(double x, double y) {}

    private record Tick(double x, String label) {}

    /** @param logarithmic whether the vertical axis is; then nothing is below 0.001 */
    public Chart(String title, boolean logarithmic) {
        this.title = title;
        this.logarithmic = logarithmic;
    }

    /** A line through these points. */
    public void line(String name, List<Point> points) {
        lines.add(new Line(name, List.copyOf(points)));
    }

    /** A mark on the horizontal axis. */
    public void tick(double x, String label) {
        ticks.add(new Tick(x, label));
    }

    private double scaled(double y) {
        return logarithmic ? Math.log10(Math.max(y, 1e-3)) : y;
    }

    /** The plot, with a legend. */
    public String svg() {
        double xMin = Double.MAX_VALUE;
        double xMax = -Double.MAX_VALUE;
        double yMin = logarithmic ? Double.MAX_VALUE : 0;
        double yMax = -Double.MAX_VALUE;
        for (Line line : lines) {
            for (Point point : line.points) {
                xMin = Math.min(xMin, point.x);
                xMax = Math.max(xMax, point.x);
                yMin = Math.min(yMin, scaled(point.y));
                yMax = Math.max(yMax, scaled(point.y));
            }
        }
        if (xMin > xMax) {
            return "";
        }
        if (logarithmic) {
            yMin = Math.floor(yMin);
            yMax = Math.max(yMin + 1, Math.ceil(yMax));
        } else {
            yMax = step(yMax) * Math.max(1, Math.ceil(yMax / step(yMax)));
        }
        StringBuilder out = new StringBuilder();
        out.append(format(
                "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
                text(title), WIDTH, HEIGHT, text(title)));
        axes(out, xMin, xMax, yMin, yMax);
        for (int l = 0; l < lines.size(); l++) {
            Line line = lines.get(l);
            StringBuilder points = new StringBuilder();
            for (Point point : line.points) {
                points.append(format("%.1f,%.1f ", across(point.x, xMin, xMax), down(scaled(point.y), yMin, yMax)));
            }
            out.append(format(
                    "<polyline class=\"s%d\" points=\"%s\"/>\n",
                    l % CLASSES, points.toString().strip()));
        }
        out.append("</svg><p class=\"legend\">");
        for (int l = 0; l < lines.size(); l++) {
            out.append(format("<span><i class=\"s%d\"></i>%s</span> ", l % CLASSES, text(lines.get(l).name)));
        }
        return out.append("</p></figure>\n").toString();
    }

    private void axes(StringBuilder out, double xMin, double xMax, double yMin, double yMax) {
        for (Tick tick : ticks) {
            if (tick.x >= xMin && tick.x <= xMax) {
                double x = across(tick.x, xMin, xMax);
                out.append(format(
                        "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                                + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                        x, x, TOP, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18, text(tick.label)));
            }
        }
        int steps = (int) Math.round(logarithmic ? yMax - yMin : yMax / step(yMax));
        for (int i = 0; i <= steps; i++) {
            double value = yMin + (yMax - yMin) * i / steps;
            double y = down(value, yMin, yMax);
            double shown = logarithmic ? Math.pow(DECADE, value) : value;
            out.append(format(
                    "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                            + "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                    LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, number(shown)));
        }
    }

    /** A round number of which some make up the axis. */
    private static double step(double max) {
        double rough = Math.max(max, 1) / STEPS;
        double power = Math.pow(DECADE, Math.floor(Math.log10(rough)));
        double digits = rough / power;
        return power * (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : DECADE);
    }

    private static String number(double value) {
        return value >= DECADE || value == 0
                ? format("%,.0f", value)
                : format("%.3f", value).replaceFirst("\\.?0+$", "");
    }

    private static double across(double x, double min, double max) {
        return LEFT + (max > min ? (x - min) / (max - min) : 0.5) * (WIDTH - LEFT - RIGHT);
    }

    private static double down(double y, double min, double max) {
        return HEIGHT - BOTTOM - (y - min) / (max - min) * (HEIGHT - TOP - BOTTOM);
    }

    private static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** Text as it stands in HTML. */
    public static String text(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
