package com.amazonaws.services.lambda.runtime;

/** The logger, for code that has no context at hand. */
public final class LambdaRuntime {
  /** Set before the function is loaded. */
  private static volatile LambdaLogger logger;

  private LambdaRuntime() {}

  public static LambdaLogger getLogger() {
    return logger;
  }
}
