package scenario;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import org.springframework.stereotype.Component;

/** Counts the observations that go on: those of a stream end a moment after its last part. */
@Component
class OpenObservations implements ObservationHandler<Observation.Context> {
    private static final long MOST_MILLISECONDS = 10_000;
    private int open;

    @Override
    public boolean supportsContext(Observation.Context context) {
        return true;
    }

    @Override
    public synchronized void onStart(Observation.Context context) {
        open++;
    }

    @Override
    public synchronized void onStop(Observation.Context context) {
        open--;
        notifyAll();
    }

    synchronized void awaitNone() throws InterruptedException {
        long end = System.currentTimeMillis() + MOST_MILLISECONDS;
        while (open > 0 && System.currentTimeMillis() < end) {
            wait(Math.max(1, end - System.currentTimeMillis()));
        }
    }
}
