package hearth.runtime;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * Looks after events that take long: what the gateway sent behind one is given back, so that another instance can run
 * it. While no event runs, the thread sleeps and costs nothing.
 */
final class Watcher extends Thread {
  /** An event that runs longer than this does not keep others waiting. */
  private static final long TICK_MS = 5;
  private static final long MAX_TICK_MS = 40;
  private static final int NONE = 0;
  private static final int STOP = -1;

  private final Channel channel;
  private volatile int running = NONE;
  private volatile boolean asleep;

  Watcher(Channel channel) {
    super("hearth-watcher");
    this.channel = channel;
    setDaemon(true);
  }

  void begins(int seq) {
    running = seq;
    if (asleep) LockSupport.unpark(this);
  }

  /** Called before the answer goes out: what comes after it must not be given back any more. */
  void ends() {
    synchronized (channel) {
      running = NONE;
    }
  }

  void end() {
    begins(STOP);
  }

  @Override
  public void run() {
    try {
      int last = NONE;
      long tick = TICK_MS;
      while (running != STOP) {
        int seq = running;
        if (seq == NONE) {
          asleep = true;
          if (running == NONE) LockSupport.park(this);
          asleep = false;
          continue;
        }
        tick = seq == last ? Math.min(MAX_TICK_MS, tick * 2) : TICK_MS;
        last = seq;
        Thread.sleep(tick);
        // Without the lock first: while no event runs, the other thread holds it and waits for one.
        if (running == seq) giveBack(seq);
      }
    } catch (IOException | InterruptedException e) {
      // The channel is closed; the thread that serves it sees that, too.
    }
  }

  private void giveBack(int seq) throws IOException {
    synchronized (channel) {
      if (running == seq) channel.giveBack();
    }
  }
}
