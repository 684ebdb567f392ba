package warm;

import com.amazonaws.services.lambda.runtime.Context;
import java.util.List;

/** Takes and gives beans. */
public class Bean {
  private String key;
  private int number;
  private List<Object> list;
  private Nested nested;

  public Bean handle(Bean event, Context context) {
    return event;
  }

  public String getKey() {
    return key;
  }

  public void setKey(String key) {
    this.key = key;
  }

  public int getNumber() {
    return number;
  }

  public void setNumber(int number) {
    this.number = number;
  }

  public List<Object> getList() {
    return list;
  }

  public void setList(List<Object> list) {
    this.list = list;
  }

  public Nested getNested() {
    return nested;
  }

  public void setNested(Nested nested) {
    this.nested = nested;
  }

  /** A bean within. */
  public static class Nested {
    public String text;
  }
}
