// java Serve.java PORT: accepts connections and closes them.
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

public class Serve {
  public static void main(String[] args) throws Exception {
    try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getLoopbackAddress())) {
      while (true) {
        try (Socket connection = listener.accept()) {
          connection.getOutputStream().write("ok".getBytes());
        }
      }
    }
  }
}
