package com.amazonaws.services.lambda.runtime.logging;

/** How much a log event matters. */
public enum LogLevel {
  UNDEFINED,
  TRACE,
  DEBUG,
  INFO,
  WARN,
  ERROR,
  FATAL
}
