/**
 * Counts and measures, and says so in the languages of those who ask.
 *
 * <p>Knows nobody's names: an instrument lives beside what it measures, and {@code docs/telemetry.md} lists them all.
 * There are two kinds:
 *
 * <pre>
 *   pushed   Counter, Histogram    told when something happens; Kamon's instruments
 *   polled   a number somewhere    read when somebody asks, and never otherwise
 * </pre>
 *
 * <p>What is counted for each frame of audio is a plain number of its owner, and polled. Read first: {@link
 * parley.meter.Meters}.
 */
@NullMarked
package parley.meter;

import org.jspecify.annotations.NullMarked;
