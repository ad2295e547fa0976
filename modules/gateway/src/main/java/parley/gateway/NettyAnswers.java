package parley.gateway;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import parley.wire.HttpServer.Reply;

/** Turns what is to be said into what the front sends. */
final class NettyAnswers {
    private NettyAnswers() {}

    static Reply problem(Problem problem) {
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(problem.status()),
                Unpooled.wrappedBuffer(problem.json()));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, Problem.MEDIA_TYPE)
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        var retryAfter = problem.retryAfterHeader();
        if (retryAfter != null) {
            response.headers().set(HttpHeaderNames.RETRY_AFTER, retryAfter);
        }
        if (problem.sendsAway()) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        if (problem.status() == 426) {
            response.headers()
                    .set(HttpHeaderNames.UPGRADE, "websocket")
                    .set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13");
        }
        if (problem.status() == 401) {
            response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer");
        }
        SecurityHeaders.addTo(response.headers());
        return new Reply.Answer(response);
    }

    static Reply of(HttpResponse response) {
        var status = HttpResponseStatus.valueOf(response.status().intValue());
        var entity = response.entity();
        if (entity.isStrict()) {
            var bytes = ((org.apache.pekko.http.javadsl.model.HttpEntity.Strict) entity).getData();
            var answer = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(bytes.toArrayUnsafe()));
            headers(response, entity, answer.headers());
            return new Reply.Answer(answer);
        }
        var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status);
        headers(response, entity, head.headers());
        return new Reply.Streamed(head, entity.getDataBytes());
    }

    private static void headers(HttpResponse response, ResponseEntity entity, HttpHeaders headers) {
        response.getHeaders().forEach(header -> headers.add(header.name(), header.value()));
        SecurityHeaders.addTo(headers);
        if (!entity.isKnownEmpty()) {
            headers.set(HttpHeaderNames.CONTENT_TYPE, entity.getContentType().toString());
        }
    }
}
