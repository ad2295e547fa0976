package parley.wire;

import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

/** The JVM's own name lookup. It blocks, so it runs beside the loop that asks: a slow name server stops no session. */
final class Lookup extends AddressResolverGroup<InetSocketAddress> {
    static final Lookup BESIDE_THE_LOOP = new Lookup();

    private Lookup() {}

    @Override
    protected AddressResolver<InetSocketAddress> newResolver(EventExecutor loop) {
        return new InetNameResolver(loop) {
            @Override
            protected void doResolve(String host, Promise<InetAddress> address) {
                Thread.startVirtualThread(() -> {
                    try {
                        address.trySuccess(InetAddress.getByName(host));
                    } catch (UnknownHostException unknown) {
                        address.tryFailure(unknown);
                    }
                });
            }

            @Override
            protected void doResolveAll(String host, Promise<List<InetAddress>> addresses) {
                Thread.startVirtualThread(() -> {
                    try {
                        addresses.trySuccess(List.of(InetAddress.getAllByName(host)));
                    } catch (UnknownHostException unknown) {
                        addresses.tryFailure(unknown);
                    }
                });
            }
        }.asAddressResolver();
    }
}
