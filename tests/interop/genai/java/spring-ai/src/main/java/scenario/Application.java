package scenario;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/** What Spring configures by itself: clients, models, tracing. */
@SpringBootApplication
class Application {}
