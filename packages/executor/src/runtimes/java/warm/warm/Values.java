package warm;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/** Takes any JSON, logs, and fails now and then. */
public class Values implements RequestHandler<Map<String, Object>, Object> {
  private int count;

  @Override
  public Object handleRequest(Map<String, Object> event, Context context) {
    count++;
    if (count % 4 == 0) context.getLogger().log(context.getAwsRequestId());
    if (count % 10 == 0) throw new IllegalStateException("warm-up", new RuntimeException(context.getFunctionName()));
    context.getClientContext().getCustom();
    return event;
  }
}
